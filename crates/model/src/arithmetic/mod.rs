//! The platform's own arithmetic: how many addresses, blocks, surge nodes and SNAT ports things take.
//!
//! Pure functions over plain numbers; every formula names the fact it comes from. Nothing here overflows or panics: sums
//! and products saturate at the largest number, which is always "too many", and a question without an answer
//! (a prefix longer than 32, more nodes than any range holds) gives `None`.
//!
//! | file | what |
//! |---|---|
//! | `subnet` | addresses of a prefix, reserved ones, first and last assignable, smallest prefix for a need, node subnets by mode, gateway and API server subnets |
//! | `pods` | overlay and kubenet node blocks, static blocks, maxPods against the pool's minimum |
//! | `batches` | dynamic allocation: what a node holds for so many pods, and after a peak |
//! | `surge` | surge nodes of a pool |
//! | `snat` | ports per node, nodes per port count, addresses needed, NAT gateway and firewall ports |

pub mod batches;
pub mod pods;
pub mod snat;
pub mod subnet;
pub mod surge;

/// `value * numerator / denominator`, rounded up; the largest number where it does not fit, and for a denominator of 0.
pub fn ratio_up(value: u64, numerator: u64, denominator: u64) -> u64 {
    let exact = u128::from(value) * u128::from(numerator);
    exact
        .checked_add(u128::from(denominator.saturating_sub(1)))
        .and_then(|exact| exact.checked_div(u128::from(denominator)))
        .and_then(|exact| u64::try_from(exact).ok())
        .unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::ratio_up;

    #[test]
    fn ratios_round_up_and_never_fall_short() {
        assert_eq!(ratio_up(11, 10, 100), 2);
        assert_eq!(ratio_up(0, 10, 100), 0);
        assert_eq!(ratio_up(u64::MAX, 50, 100), u64::MAX / 2 + 1);
        assert_eq!(ratio_up(u64::MAX, 200, 100), u64::MAX);
        assert_eq!(ratio_up(5, 1, 0), u64::MAX);
    }
}
