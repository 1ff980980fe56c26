//! Reproducible chance.
//!
//! In: a seed, what is being decided, and for which call. Out: numbers, choices, texts.
//! Promises: the same arguments give the same sequence on every machine; each purpose has a sequence
//! of its own, so that what one call needs never moves what another gets.

/// What a sequence is for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    /// The facts of a call.
    Facts = 1,
    /// Sid of a call.
    Sid,
    /// Which events a call has, and when.
    Events,
    /// Which events are sent twice.
    Duplicates,
    /// The order of a shuffled run.
    Order,
    /// How long a retry waits.
    Backoff,
}

/// A sequence.
#[derive(Debug)]
pub(super) struct Dice(fastrand::Rng);

impl Dice {
    /// The sequence for `purpose` of the thing numbered `index`.
    pub(super) fn new(seed: u64, purpose: Purpose, index: u64) -> Self {
        Self(fastrand::Rng::with_seed(mix(mix(mix(seed) ^ purpose as u64) ^ index)))
    }

    /// True in `permille` of 1000 cases.
    pub(super) fn chance(&mut self, permille: u32) -> bool {
        self.0.u32(..1000) < permille
    }

    /// True with the probability `fraction`.
    pub(super) fn fraction(&mut self, fraction: f64) -> bool {
        self.0.f64() < fraction
    }

    /// A whole number, both ends included.
    pub(super) fn between(&mut self, low: i64, high: i64) -> i64 {
        self.0.i64(low..=high)
    }

    /// A measurement, with six decimals as Twilio writes them.
    pub(super) fn real(&mut self, low: f64, high: f64) -> f64 {
        six_decimals(low + (high - low) * self.0.f64())
    }

    /// One of `choices`, of which there is at least one.
    pub(super) fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.position(choices.len())]
    }

    /// A position in something of `len` items, of which there is at least one.
    pub(super) fn position(&mut self, len: usize) -> usize {
        self.0.usize(..len)
    }

    /// One of `choices`, each with its weight.
    pub(super) fn weighted<T: Copy>(&mut self, choices: &[(u32, T)]) -> T {
        let total: u32 = choices.iter().map(|(weight, _)| weight).sum();
        let mut drawn = self.0.u32(..total);
        for &(weight, choice) in choices {
            if drawn < weight {
                return choice;
            }
            drawn -= weight;
        }
        choices[0].1
    }

    /// `digits` hexadecimal digits.
    pub(super) fn hex(&mut self, digits: usize) -> String {
        (0..digits).map(|_| self.0.digit(16)).collect()
    }

    /// `pattern` with a digit in place of each `x`.
    pub(super) fn digits(&mut self, pattern: &str) -> String {
        pattern.chars().map(|c| if c == 'x' { self.0.digit(10) } else { c }).collect()
    }

    /// Any order of `items`.
    pub(super) fn shuffle<T>(&mut self, items: &mut [T]) {
        self.0.shuffle(items);
    }
}

/// `number` as Twilio writes measurements.
pub(super) fn six_decimals(number: f64) -> f64 {
    (number * 1e6).round() / 1e6
}

/// Neighbouring inputs become unrelated seeds (the finaliser of splitmix64).
pub(super) fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_purpose_and_index_has_a_sequence_of_its_own() {
        let text = |purpose, index| Dice::new(7, purpose, index).hex(32);
        assert_eq!(text(Purpose::Facts, 1), text(Purpose::Facts, 1));
        assert_ne!(text(Purpose::Facts, 1), text(Purpose::Facts, 2));
        assert_ne!(text(Purpose::Facts, 1), text(Purpose::Events, 1));
    }

    #[test]
    fn weights_are_kept_to() {
        let mut dice = Dice::new(1, Purpose::Facts, 0);
        let heads = (0..10_000).filter(|_| dice.weighted(&[(9, true), (1, false)])).count();
        assert!((8800..9200).contains(&heads), "{heads}");
    }
}
