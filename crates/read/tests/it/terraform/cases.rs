//! Documents with the designs they come to.

use super::*;

fn is_as_written(name: &str, document: &str, expected: &str) {
    let came = read(&[(&format!("{name}.json"), document)]);
    assert!(came == expected, "{name} came out as\n<<<\n{came}>>>");
}

macro_rules! cases {
    ($($test:ident $file:literal;)*) => {
        $(#[test]
        fn $test() {
            is_as_written($file, include_str!(concat!($file, ".json")), include_str!(concat!($file, ".yaml")));
        })*
    };
}

cases! {
    a_plan_of_version_4_that_creates_everything_in_modules "v4-create";
}
