//! The world of one simulation: AWS, Picket's own state, the workers that live, and the record of what happened.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::hash::{Hash as _, Hasher as _};

use jiff::Timestamp;
use picket_model::{GroupId, InstanceId, Mode};
use picket_pipeline::Settings;
use picket_pipeline::messages::Message;

use crate::agenda::{Agenda, MILLI, TaskId, stamp};
use crate::api::{Api, Buckets};
use crate::cloud::Ec2;
use crate::dice::Dice;
use crate::invariants::{Known, Watched};
use crate::queues::{Name, Queues};
use crate::rules::Rule;
use crate::store::Store;
use crate::weather::Weather;
use crate::workers::Job;

/// How many calls a failing seed shows.
const LAST: usize = 50;

/// A line of the trace.
#[derive(Debug, Clone)]
pub struct Line {
    /// When.
    pub at: u64,
    /// Which worker; none for other actors.
    pub task: Option<TaskId>,
    /// What.
    pub what: String,
}

impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (seconds, millis) = (self.at / 1_000_000, self.at / MILLI % 1_000);
        let who = self.task.map_or_else(|| "      ".to_owned(), |t| format!("{t:>6}"));
        write!(f, "{seconds:>6}.{millis:03} s {who} {}", self.what)
    }
}

/// What is known of a living worker.
#[derive(Debug, Default, Clone)]
pub struct Task {
    /// What it does, in a word.
    pub stage: &'static str,
    /// The queue that it serves.
    pub queue: Option<Name>,
}

/// What a soak knows at any moment.
#[derive(Debug)]
pub struct World {
    /// Microseconds since the beginning.
    pub now: u64,
    /// What is still to happen.
    pub agenda: Agenda,
    /// Chance.
    pub dice: Dice,
    /// What goes wrong.
    pub weather: Weather,
    /// EC2.
    pub ec2: Ec2,
    /// EC2's throttles.
    pub buckets: Buckets,
    /// The state table.
    pub store: Store,
    /// The queues.
    pub queues: Queues,
    /// What the deployment is told.
    pub settings: Settings,
    /// Living workers.
    pub tasks: BTreeMap<TaskId, Task>,
    /// Workers to start.
    pub starting: Vec<(TaskId, Job)>,
    /// Workers that died just now.
    pub dying: Vec<TaskId>,
    tasks_made: u64,
    /// What the invariants remember.
    pub watched: Watched,
    /// Instances that a person ordered into quarantine.
    pub ordered: BTreeSet<InstanceId>,
    /// Whether actors still act.
    pub restless: bool,
    /// What no stage may do and one did.
    pub violations: Vec<String>,
    /// How often each fault, actor and known deviation occurred.
    pub coverage: BTreeMap<String, u64>,
    trace: VecDeque<Line>,
    whole_trace: bool,
    hash: std::hash::DefaultHasher,
}

impl World {
    /// An empty world.
    #[must_use]
    pub fn new(seed: u64, weather: Weather, whole_trace: bool) -> Self {
        Self {
            now: 0,
            agenda: Agenda::default(),
            dice: Dice::new(seed),
            weather,
            ec2: Ec2::default(),
            buckets: Buckets::default(),
            store: Store::default(),
            queues: Queues::default(),
            settings: Settings { stack: "picket".to_owned(), mode: Mode::Enforce },
            tasks: BTreeMap::new(),
            starting: Vec::new(),
            dying: Vec::new(),
            tasks_made: 0,
            watched: Watched::default(),
            ordered: BTreeSet::new(),
            restless: true,
            violations: Vec::new(),
            coverage: BTreeMap::new(),
            trace: VecDeque::new(),
            whole_trace,
            hash: std::hash::DefaultHasher::new(),
        }
    }

    /// Now, as clocks show it.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        stamp(self.now)
    }

    /// Lets something happen in `micros`.
    pub fn later(&mut self, micros: u64, run: impl FnOnce(&mut Self) + Send + 'static) {
        self.agenda.put(self.now + micros, None, Box::new(run));
    }

    /// Counts something for the coverage.
    pub fn count(&mut self, what: &str) {
        match self.coverage.get_mut(what) {
            Some(n) => *n += 1,
            None => drop(self.coverage.insert(what.to_owned(), 1)),
        }
    }

    /// Writes a line of the trace.
    pub fn trace(&mut self, task: Option<TaskId>, what: String) {
        (self.now, task, &what).hash(&mut self.hash);
        if !self.whole_trace && self.trace.len() == LAST {
            self.trace.pop_front();
        }
        self.trace.push_back(Line { at: self.now, task, what });
    }

    /// An actor acted.
    pub fn acts(&mut self, actor: &str, what: &str) {
        self.count(&format!("actor: {actor}"));
        self.trace(None, format!("{actor}: {what}"));
    }

    /// Something happened that may not.
    pub fn violate(&mut self, rule: Rule, what: &str) {
        if let Some(not_yet) = rule.not_yet(what) {
            self.count(&format!("not yet: {}", not_yet.why));
            self.trace(None, format!("(not yet) {}: {what}", rule.name()));
        } else {
            let text = format!("{}: {what}", rule.name());
            self.trace(None, format!("VIOLATION {text}"));
            self.violations.push(text);
        }
    }

    /// The last calls, or all of them.
    #[must_use]
    pub fn told(&self) -> Vec<Line> {
        self.trace.iter().cloned().collect()
    }

    /// Names everything that happened so far: equal for equal seeds.
    #[must_use]
    pub fn digest(&self) -> u64 {
        self.hash.finish()
    }

    /// Starts a worker.
    pub fn start(&mut self, stage: &'static str, queue: Option<Name>, limit: u64, job: Job) -> TaskId {
        self.tasks_made += 1;
        let id = self.tasks_made;
        self.tasks.insert(id, Task { stage, queue });
        let known = Known { stage, read: BTreeMap::new(), began: self.now, ended: u64::MAX };
        self.watched.workers.insert(id, known);
        self.trace(Some(id), format!("{stage} begins"));
        let (chance, more) = (self.weather.oversleeps, self.dice.between(1, 90));
        let outlives = chance > 0 && self.dice.chance(chance);
        self.watched.outlived |= outlives;
        if outlives {
            self.watched.oversleepers.insert(id);
        }
        let limit = if outlives { limit + more * 1_000 * MILLI } else { limit };
        self.later(limit, move |w| {
            if w.tasks.contains_key(&id) {
                w.count("fault: worker is ended by its time limit");
                w.kill(id);
            }
        });
        self.starting.push((id, job));
        id
    }

    /// A worker dies. Requests that it has sent may arrive all the same.
    pub fn kill(&mut self, task: TaskId) {
        let Some(dead) = self.tasks.remove(&task) else { return };
        self.trace(Some(task), format!("{} dies", dead.stage));
        let dice = &mut self.dice;
        self.agenda.forget(task, || dice.chance(500));
        self.dying.push(task);
        self.ended(task);
        if dead.queue.is_none() {
            self.watched.crashed.insert(task);
        }
        self.left(dead.queue);
    }

    /// A worker ends well.
    pub fn finish(&mut self, task: TaskId) {
        if let Some(ended) = self.tasks.remove(&task) {
            self.ended(task);
            self.left(ended.queue);
        }
    }

    fn ended(&mut self, task: TaskId) {
        if let Some(known) = self.watched.workers.get_mut(&task) {
            known.ended = self.now;
        }
    }

    fn left(&mut self, queue: Option<Name>) {
        if let Some(name) = queue {
            let queue = self.queues.of(name);
            queue.working = queue.working.saturating_sub(1);
            self.poll_soon(name, 0);
        }
    }

    /// Puts a message into its queue.
    pub fn put(&mut self, message: Message) {
        let now = self.now;
        let name = self.queues.put(message, now);
        self.poll_soon(name, 0);
    }

    /// Looks for work for a queue's workers, soon.
    pub fn poll_soon(&mut self, name: Name, after: u64) {
        let wait = after + self.dice.between(1, 20) * MILLI;
        self.later(wait, move |w| w.poll(name));
    }

    fn poll(&mut self, name: Name) {
        let setup = name.setup();
        let now = self.now;
        loop {
            if self.queues.of(name).working >= setup.workers {
                return;
            }
            let mut shown = self.queues.of(name).visible(now);
            if shown.is_empty() {
                return;
            }
            // Standard queues promise no order.
            self.dice.shuffle(&mut shown);
            shown.truncate(setup.batch);
            let letters: Vec<_> =
                shown.iter().filter_map(|id| self.queues.of(name).receive(*id, now, &setup)).collect();
            for letter in &letters {
                self.poll_soon(name, setup.visibility);
                if self.weather.doubled > 0 && self.dice.chance(self.weather.doubled) {
                    self.count("fault: message delivered twice");
                    let (id, soon) = (letter.id, self.dice.between(1, 4_000) * MILLI);
                    self.later(soon, move |w| w.show(name, id));
                }
            }
            let dead = shown.len() - letters.len();
            if dead > 0 {
                self.count(&format!("dead letters of {name:?}"));
                self.trace(None, format!("{dead} dead letters of {name:?}"));
            }
            if letters.is_empty() {
                continue;
            }
            self.queues.of(name).working += 1;
            self.start(stage_of(name), Some(name), setup.limit, Job::Batch(name, letters));
        }
    }

    /// Shows a message again now.
    pub fn show(&mut self, name: Name, id: u64) {
        let now = self.now;
        if let Some(letter) = self.queues.of(name).letters.get_mut(&id) {
            letter.shown_from = letter.shown_from.min(now);
            self.poll_soon(name, 0);
        }
    }

    /// Shows a message again after a while.
    pub fn show_in(&mut self, name: Name, id: u64, micros: u64) {
        let at = self.now + micros;
        if let Some(letter) = self.queues.of(name).letters.get_mut(&id) {
            letter.shown_from = at;
            self.poll_soon(name, micros);
        }
    }

    /// Whether a call of a dead worker is what changes something now.
    #[must_use]
    pub fn is_ghost(&self, task: TaskId) -> bool {
        !self.tasks.contains_key(&task)
    }

    /// What a living or dead worker is.
    #[must_use]
    pub fn stage_of(&self, task: TaskId) -> &'static str {
        self.watched.workers.get(&task).map_or("?", |t| t.stage)
    }

    /// How many rules a worker read in a group, if it read it.
    #[must_use]
    pub fn checked(&self, task: TaskId, group: &GroupId) -> Option<usize> {
        self.watched.workers.get(&task)?.read.get(group).copied()
    }

    /// When a read that begins now shows EC2 as it was.
    #[must_use]
    pub fn view(&self, lag: u64) -> u64 {
        self.now.saturating_sub(lag)
    }

    /// Takes a token of `api`'s bucket.
    pub fn throttled(&mut self, api: Api) -> bool {
        let now = self.now;
        !self.buckets.take(api, now)
    }
}

fn stage_of(name: Name) -> &'static str {
    match name {
        Name::Triggers => "discover",
        Name::Assess => "assess",
        Name::Respond => "respond",
        Name::Notices => "notify",
    }
}
