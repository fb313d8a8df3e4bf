//! Lines about operations. People answer them; the design says where they can't be right.

use super::desk::Desk;
use super::judgement::Judgement;
use crate::capacity::PoolKind;
use causeway_model::codes;
use causeway_model::finding::Severity;

/// An upgrade with surge was rehearsed: not where it can't work.
pub(super) fn surge(desk: &Desk) -> Judgement {
    let mut line = Judgement::default();
    let too_small = [codes::SUBNET_FULL, codes::NO_ROOM_FOR_MAX, codes::NO_ROOM_FOR_SURGE, codes::POD_CIDR_EXHAUSTED];
    desk.against(&mut line, &too_small);
    for pool in desk.cx.capacity.pools.iter().filter(|pool| pool.kind != PoolKind::ServiceCidr) {
        if pool.fits == Some(false) && !desk.speaks_of(&too_small, &pool.object) {
            line.no(format!("`{}` does not hold an upgrade at the maximum", pool.pool));
        }
    }
    line
}

/// Utilisation has an alarm: the level is in the design, where it goes people say.
pub(super) fn alarm(desk: &Desk) -> Judgement {
    let mut line = Judgement::default();
    match desk.design.alarm_at {
        Some(percent) => line.yes(format!("ranges are reported above {percent}%")),
        None => line.unknown("no level is stated", "`alarmAt: \"80%\"` in the design"),
    }
    for finding in desk.found(&[codes::UTILISATION_ABOVE_ALARM], Severity::Info, |_| true) {
        line.remark(desk.words(finding));
    }
    line
}
