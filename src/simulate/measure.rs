//! Measures a line.
//!
//! In: how good the line is and how long it was up. Out: metrics of both directions.
//! Promises: inbound has `packets_received`, outbound `packets_sent`; of the SDK edge, scores, round
//! trips and audio levels stand under inbound, codec under outbound, as in the documented example; a
//! line that is bad in a way is bad enough for the tag.

use super::dice::{Dice, six_decimals};
use super::edge::{AvgMax, AvgMaxMin, Directions, Metrics, percentage};
use std::collections::BTreeMap;

/// How the line was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    Good,
    Jittery,
    Lossy,
    /// Long on its way.
    Slow,
    /// One direction was missing or all silence.
    Silent,
}

impl Line {
    /// A line, a bad one more often where the carrier is poor.
    pub(super) fn any(dice: &mut Dice, poor: bool) -> Self {
        let (good, jittery, lossy, slow, silent) =
            if poor { (60, 15, 12, 8, 5) } else { (91, 3, 2, 2, 2) };
        dice.weighted(&[
            (good, Self::Good),
            (jittery, Self::Jittery),
            (lossy, Self::Lossy),
            (slow, Self::Slow),
            (silent, Self::Silent),
        ])
    }
}

/// Both directions as a gateway sees them, the line being up for `seconds`.
pub(super) fn gateway(
    dice: &mut Dice,
    line: Line,
    seconds: i64,
    (codec, codec_name): (i64, &'static str),
) -> Directions {
    let mut inbound = stream(dice, line, seconds);
    let mut outbound = stream(dice, Line::Good, seconds);
    outbound.packets_sent = outbound.packets_received.take();
    for metrics in [&mut inbound, &mut outbound] {
        metrics.codec = Some(codec);
        metrics.codec_name = Some(codec_name);
    }
    if line == Line::Slow || dice.chance(60) {
        let slow = line == Line::Slow;
        let avg = if slow { dice.real(155.0, 320.0) } else { dice.real(0.2, 40.0) };
        outbound.latency = Some(AvgMax { avg, max: six_decimals(avg * dice.real(1.02, 1.6)) });
    }
    let missing = line == Line::Silent && dice.chance(500);
    Directions { inbound: (!missing).then_some(inbound), outbound: Some(outbound) }
}

/// Both directions as the Voice SDK sees them.
pub(super) fn sdk(dice: &mut Dice, line: Line, seconds: i64) -> Directions {
    let rtt_avg = if line == Line::Slow { dice.real(420.0, 900.0) } else { dice.real(18.0, 180.0) };
    let mos_avg = match line {
        Line::Good | Line::Silent => dice.real(4.1, 4.5),
        Line::Slow => dice.real(3.3, 3.9),
        Line::Jittery => dice.real(3.2, 4.0),
        Line::Lossy => dice.real(2.1, 3.4),
    };
    let inbound = Metrics {
        mos: Some(AvgMaxMin {
            avg: mos_avg,
            max: six_decimals((mos_avg + dice.real(0.01, 0.3)).min(4.6)),
            min: six_decimals((mos_avg - dice.real(0.05, 0.9)).max(1.0)),
        }),
        rtt: Some(AvgMaxMin {
            avg: rtt_avg,
            max: six_decimals(rtt_avg * dice.real(1.05, 2.4)).floor(),
            min: six_decimals(rtt_avg * dice.real(0.6, 0.95)).floor(),
        }),
        audio_in: Some(level(dice)),
        audio_out: Some(level(dice)),
        ..stream(dice, line, seconds)
    };
    let (codec, codec_name) = dice.weighted(&[(85, (111, "opus")), (15, (0, "pcmu"))]);
    let outbound = Metrics {
        codec: Some(codec),
        codec_name: Some(codec_name),
        packets_sent: stream(dice, Line::Good, seconds).packets_received,
        ..Metrics::default()
    };
    Directions { inbound: Some(inbound), outbound: Some(outbound) }
}

/// RTP at 50 packets a second.
fn stream(dice: &mut Dice, line: Line, seconds: i64) -> Metrics {
    let expected = (seconds * dice.between(485, 500) / 10).max(1);
    let lost = match line {
        Line::Lossy => expected * dice.between(51, 140) / 1000 + 1,
        Line::Jittery | Line::Slow => expected * dice.between(0, 12) / 1000,
        Line::Good | Line::Silent => dice.weighted(&[(80, 0), (15, 1), (5, 4)]).min(expected),
    };
    let received = if line == Line::Silent { 0 } else { (expected - lost).max(0) };
    let jitter = if line == Line::Jittery {
        AvgMax { avg: dice.real(5.0, 18.0), max: dice.real(31.0, 140.0) }
    } else {
        let avg = dice.real(0.05, 1.6);
        AvgMax { avg, max: six_decimals(avg + dice.real(0.2, 8.0)) }
    };
    let delayed = match line {
        Line::Jittery => Some(BTreeMap::from([
            ("d50", expected / 30 + 1),
            ("d200", expected / 80 + 1),
            ("d300", expected / 200),
        ])),
        _ if dice.chance(250) => Some(BTreeMap::from([("d50", dice.between(1, 6))])),
        _ => None,
    };
    Metrics {
        packets_received: Some(received),
        packets_lost: Some(lost),
        packets_loss_percentage: Some(percentage(lost, received)),
        jitter: Some(jitter),
        packet_delay_variation: delayed,
        ..Metrics::default()
    }
}

fn level(dice: &mut Dice) -> AvgMax {
    let avg = dice.real(80.0, 3000.0);
    AvgMax { avg, max: (avg * dice.real(2.0, 9.0)).floor().min(32767.0) }
}

#[cfg(test)]
mod tests {
    use super::super::dice::Purpose;
    use super::*;

    #[test]
    fn a_gateway_says_received_inbound_and_sent_outbound() {
        let mut dice = Dice::new(1, Purpose::Facts, 0);
        let metrics = gateway(&mut dice, Line::Good, 60, (0, "pcmu"));
        let (inbound, outbound) = (metrics.inbound.expect("in"), metrics.outbound.expect("out"));
        assert!(inbound.packets_received.is_some() && inbound.packets_sent.is_none());
        assert!(outbound.packets_sent.is_some() && outbound.packets_received.is_none());
    }
}
