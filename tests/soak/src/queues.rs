//! The queues: at least once, in any order, with a visibility timeout, a receive count and dead letters
//! (`infra/queues.yaml`, and the event source mappings of `template.yaml`).

use std::collections::BTreeMap;

use picket_pipeline::messages::Message;

use crate::agenda::SECOND;

/// A queue between two stages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Name {
    /// To discover.
    Triggers,
    /// To assess.
    Assess,
    /// To respond.
    Respond,
    /// To notify.
    Notices,
}

/// How a queue and its function are set up.
#[derive(Debug, Clone, Copy)]
pub struct Setup {
    /// How long a message that is being handled is not shown to others.
    pub visibility: u64,
    /// How often a message is received at most.
    pub receives: u32,
    /// How many messages one worker gets.
    pub batch: usize,
    /// How many workers there are at most.
    pub workers: usize,
    /// How long a worker may take.
    pub limit: u64,
}

impl Name {
    /// All queues.
    pub const ALL: [Self; 4] = [Self::Triggers, Self::Assess, Self::Respond, Self::Notices];

    /// How it is set up.
    #[must_use]
    pub fn setup(self) -> Setup {
        let of = |visibility, receives, batch, workers, limit| Setup {
            visibility: visibility * SECOND,
            receives,
            batch,
            workers,
            limit: limit * SECOND,
        };
        match self {
            Self::Triggers => of(180, 14, 10, 20, 30),
            Self::Assess => of(180, 5, 10, 10, 30),
            Self::Respond => of(360, 8, 1, 10, 60),
            Self::Notices => of(180, 8, 10, 5, 30),
        }
    }

    /// The queue of a message.
    #[must_use]
    pub fn of(message: &Message) -> Self {
        match message {
            Message::Look(_) => Self::Triggers,
            Message::Observed(_) => Self::Assess,
            Message::Notice(_) => Self::Notices,
            _ => Self::Respond,
        }
    }
}

/// A message in a queue.
#[derive(Debug, Clone)]
pub struct Letter {
    /// Its number.
    pub id: u64,
    /// What it says.
    pub body: Message,
    /// How often it was received.
    pub receives: u32,
    /// From when on it is shown.
    pub shown_from: u64,
}

/// A queue.
#[derive(Debug, Default)]
pub struct Queue {
    /// Messages that were not deleted.
    pub letters: BTreeMap<u64, Letter>,
    /// Messages that came back too often.
    pub dead: Vec<Letter>,
    /// Workers that are at it.
    pub working: usize,
}

/// All queues.
#[derive(Debug, Default)]
pub struct Queues {
    all: BTreeMap<Name, Queue>,
    sent: u64,
}

impl Queues {
    /// A queue.
    pub fn of(&mut self, name: Name) -> &mut Queue {
        self.all.entry(name).or_default()
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = (&Name, &Queue)> {
        self.all.iter()
    }

    /// Keeps a message, and says in which queue.
    pub fn put(&mut self, body: Message, now: u64) -> Name {
        let name = Name::of(&body);
        self.sent += 1;
        let letter = Letter { id: self.sent, body, receives: 0, shown_from: now };
        self.of(name).letters.insert(letter.id, letter);
        name
    }

    /// How many messages were sent.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.sent
    }
}

impl Queue {
    /// The messages that are shown now.
    #[must_use]
    pub fn visible(&self, now: u64) -> Vec<u64> {
        self.letters.values().filter(|l| l.shown_from <= now).map(|l| l.id).collect()
    }

    /// Receives a message: it is hidden for a while, or a dead letter from now on.
    pub fn receive(&mut self, id: u64, now: u64, setup: &Setup) -> Option<Letter> {
        let letter = self.letters.get_mut(&id)?;
        letter.receives += 1;
        letter.shown_from = now + setup.visibility;
        if letter.receives > setup.receives {
            let dead = self.letters.remove(&id)?;
            self.dead.push(dead);
            return None;
        }
        Some(letter.clone())
    }
}
