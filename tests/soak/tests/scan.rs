//! The scan at a tenth of its scale: everything is found and named rightly, and calls and memory stay within bounds.

use picket_soak::scan::{Size, run};

#[test]
fn a_thousand_instances_in_three_regions_are_told_apart_with_few_calls() {
    let came = run(Size { instances: 1_000, clusters: 50, regions: 3 });
    assert_eq!((came.instances, came.clusters, came.wrong), (1_000, 50, 0), "{came:?}");
    // A third of the clusters takes three calls each, every launch that AWS does not explain one for its user data.
    assert!(came.calls < 800, "{came:?}");
}

#[test]
fn ten_times_as_many_instances_of_one_region_do_not_take_ten_times_the_memory_of_the_process() {
    let came = run(Size { instances: 5_000, clusters: 50, regions: 5 });
    assert!(came.peak_kb < came.before_kb + 64 * 1024, "{came:?}");
}
