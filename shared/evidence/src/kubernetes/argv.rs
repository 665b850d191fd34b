//! Command lines of Kubernetes' components: which component it is, and its flags. Bare booleans are true, the last of
//! two equal flags wins, and a shell around the component does not hide it.

use std::collections::BTreeMap;

/// Whatever ends a command within a shell's script.
const ENDS: &[char] = &['>', '|', ';', '&', '<', ')'];

/// The flags of `component` in a command line; none if that is not what runs.
#[must_use]
pub fn flags_of(component: &str, argv: &[String]) -> Option<BTreeMap<String, String>> {
    let words = words(argv);
    let at = words.iter().position(|w| is_component(w, component)).or_else(|| hyperkube(&words, component))?;
    Some(flags(&words[at + 1..]))
}

/// The words of a command line, those of a script that a shell is given among them.
fn words(argv: &[String]) -> Vec<String> {
    let shell = argv.first().is_some_and(|a| ["sh", "bash", "ash"].contains(&base(a)));
    if !shell {
        return argv.iter().flat_map(|a| if is_flag(a) { vec![a.clone()] } else { split(a) }).collect();
    }
    argv.iter().skip(1).flat_map(|a| split(a)).collect()
}

fn split(text: &str) -> Vec<String> {
    let trimmed = |w: &str| w.trim_matches(|c| c == '"' || c == '\'').to_owned();
    text.split_whitespace().map(trimmed).collect()
}

fn base(word: &str) -> &str {
    word.rsplit('/').next().unwrap_or(word)
}

fn is_flag(word: &str) -> bool {
    word.starts_with('-') && word.len() > 1
}

fn is_component(word: &str, component: &str) -> bool {
    !is_flag(word) && base(word) == component
}

/// `hyperkube apiserver` and `hyperkube kube-apiserver` are older ways to start a component.
fn hyperkube(words: &[String], component: &str) -> Option<usize> {
    let short = component.strip_prefix("kube-").unwrap_or(component);
    let at = words.iter().position(|w| base(w) == "hyperkube")?;
    words.get(at + 1).is_some_and(|w| w == short || w == component).then_some(at + 1)
}

/// Flags from words, until the command ends.
#[must_use]
pub fn flags(words: &[String]) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut at = 0;
    while let Some(word) = words.get(at) {
        at += 1;
        if word.starts_with(ENDS) || word.ends_with("2>&1") {
            break;
        }
        if !is_flag(word) {
            continue;
        }
        let name = word.trim_start_matches('-');
        let (name, value) = match name.split_once('=') {
            Some((name, value)) => (name, value.trim_matches(|c| c == '"' || c == '\'').to_owned()),
            None => match words.get(at).filter(|next| !is_flag(next) && !next.starts_with(ENDS)) {
                Some(next) => {
                    at += 1;
                    (name, next.clone())
                }
                None => (name, "true".to_owned()),
            },
        };
        // Flags are spelled with `-` or `_`.
        found.insert(name.replace('_', "-"), value);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn argv(words: &[&str]) -> Vec<String> {
        words.iter().map(|w| (*w).to_owned()).collect()
    }

    fn flag(component: &str, words: &[&str], name: &str) -> Option<String> {
        flags_of(component, &argv(words)).and_then(|f| f.get(name).cloned())
    }

    #[test]
    fn flags_are_read_with_equals_with_a_space_and_bare() {
        let line = ["/usr/bin/kubelet", "--pod-max-pids", "22", "--profiling", "--config=/x", "--v=2"];
        assert_eq!(flag("kubelet", &line, "pod-max-pids").as_deref(), Some("22"));
        assert_eq!(flag("kubelet", &line, "profiling").as_deref(), Some("true"));
        assert_eq!(flag("kubelet", &line, "config").as_deref(), Some("/x"));
        assert_eq!(flag("kube-proxy", &line, "v"), None);
    }

    #[test]
    fn the_last_of_two_equal_flags_wins() {
        let line = ["kubelet", "--anonymous-auth=false", "--anonymous-auth=true"];
        assert_eq!(flag("kubelet", &line, "anonymous-auth").as_deref(), Some("true"));
    }

    #[test]
    fn a_shell_around_a_component_does_not_hide_it() {
        let script = "mkfifo /tmp/pipe; (tee -a /var/log/kube-apiserver.log < /tmp/pipe & ) ; exec \
            /usr/local/bin/kube-apiserver --allow-privileged=true --basic-auth-file=/srv/kubernetes/basic_auth.csv > /tmp/pipe 2>&1";
        let line = ["/bin/sh", "-c", script];
        assert_eq!(flag("kube-apiserver", &line, "basic-auth-file").as_deref(), Some("/srv/kubernetes/basic_auth.csv"));
        assert_eq!(flag("kube-apiserver", &line, "allow-privileged").as_deref(), Some("true"));
    }

    #[test]
    fn wrappers_and_hyperkube_are_seen_through() {
        let runner = ["/go-runner", "--log-file=/x", "/usr/local/bin/kube-apiserver", "--profiling=false"];
        assert_eq!(flag("kube-apiserver", &runner, "profiling").as_deref(), Some("false"));
        assert_eq!(flag("kube-apiserver", &runner, "log-file"), None);
        let hyper = ["/hyperkube", "apiserver", "--token-auth-file=/t"];
        assert_eq!(flag("kube-apiserver", &hyper, "token-auth-file").as_deref(), Some("/t"));
        assert_eq!(flag("kube-scheduler", &hyper, "token-auth-file"), None);
    }

    #[test]
    fn a_file_that_is_named_like_a_component_is_not_one() {
        assert_eq!(flag("etcd", &["kube-apiserver", "--etcd-cafile=/etc/etcd"], "etcd-cafile"), None);
    }
}
