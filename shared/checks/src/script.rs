//! What a script does, as against what it says: comments, messages to people and texts for them are left out, so that a
//! host which only speaks of Kubernetes is not taken for a node.

use std::borrow::Cow;

/// Files that people read.
const FOR_PEOPLE: &[&str] = &["/etc/motd", "/etc/issue", "/etc/update-motd.d", "README", ".md"];

/// `text` without comment lines, trailing comments, messages and notes for people. Never longer than `text`.
#[must_use]
pub fn done(text: &str) -> Cow<'_, str> {
    if !text.contains('#') && !text.contains("echo") && !text.contains("<<") {
        return Cow::Borrowed(text);
    }
    let mut kept = String::with_capacity(text.len());
    let mut note: Option<&str> = None;
    for line in text.lines() {
        if let Some(end) = note {
            if line.trim() == end {
                note = None;
            }
            continue;
        }
        note = note_begins(line);
        let line = without_comment(line);
        if note.is_none() && !is_message(line) {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    Cow::Owned(kept)
}

/// The word that ends a here-document for people, if one begins.
fn note_begins(line: &str) -> Option<&str> {
    let (before, after) = line.split_once("<<")?;
    let target = if before.contains('>') || before.contains("tee") { before } else { after };
    if !FOR_PEOPLE.iter().any(|f| target.contains(f)) {
        return None;
    }
    let word = after.trim_start_matches(['-', '~', ' ']).split_whitespace().next()?;
    let word = word.trim_matches(['"', '\'', '\\']);
    (!word.is_empty() && !word.starts_with('<')).then_some(word)
}

/// The line up to its comment. A `#` in quotes or within a word is none; `#!` and `#cloud-config` are not comments.
fn without_comment(line: &str) -> &str {
    let start = line.trim_start();
    if let Some(comment) = start.strip_prefix('#') {
        let kept = comment.starts_with('!') || comment.starts_with("cloud-");
        return if kept { line } else { "" };
    }
    let is_comment = |at: &usize| {
        let before = &line[..*at];
        let quoted = before.matches('"').count() % 2 == 1 || before.matches('\'').count() % 2 == 1;
        before.ends_with([' ', '\t']) && !quoted
    };
    line.match_indices("# ").map(|(at, _)| at).find(is_comment).map_or(line, |at| &line[..at])
}

/// Whether the line only tells somebody something: no pipe and no file takes what is said.
fn is_message(line: &str) -> bool {
    let start = line.trim_start().trim_start_matches("- ").trim_start_matches(['"', '\'']);
    let says =
        ["echo ", "printf ", "logger ", "Write-Host ", "Write-Output ", "wall "].iter().any(|w| start.starts_with(w));
    let goes_on = ["|", ">", "&&", ";", "$(", "`"].iter().any(|w| start.contains(w));
    says && !goes_on
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_messages_and_notes_are_left_out() {
        let text = "#!/bin/bash\n# kubeadm join is run by hand\napt-get install -y nginx # not kubelet\n\
            echo \"to join, run kubeadm join\"\ncat > /etc/motd <<'EOF'\nkubectl and minikube start are here\nEOF\nnginx\n";
        assert_eq!(done(text), "#!/bin/bash\napt-get install -y nginx \nnginx\n".replacen("\napt", "\n\napt", 1));
    }

    #[test]
    fn what_is_run_or_written_to_a_file_stays() {
        for text in [
            "#cloud-config\nruncmd:\n - kubeadm join\n",
            "echo c2VjcmV0 | base64 -d | sh\n",
            "echo 'kubeadm join' > /root/join.sh\n",
            "cat > /etc/rancher/k3s/config.yaml <<EOF\nserver: x\nEOF\n",
            "curl -sfL https://get.k3s.io/#latest | sh\n",
            "kubeadm init --pod-network-cidr \"10.0.0.0/8 # all\"\n",
        ] {
            assert_eq!(done(text), text);
        }
    }

    #[test]
    fn a_note_that_never_ends_takes_no_longer_than_the_text() {
        assert_eq!(done("cat <<EOF > /etc/motd\nkubeadm join\n"), "");
    }
}
