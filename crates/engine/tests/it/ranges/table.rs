//! Tables of cases: what the checks of addresses say.

use crate::cases::run;
use causeway_model::codes::{Code, Subject};

fn counts(code: Code) -> bool {
    code.subject() == Subject::Addresses
}

macro_rules! tables {
    ($($name:ident)*) => {$(
        #[test]
        fn $name() {
            run(stringify!($name), include_str!(concat!("cases/", stringify!($name), ".yaml")), counts);
        }
    )*};
}

tables! { reserved services pods networks subnets reuse held missions }
