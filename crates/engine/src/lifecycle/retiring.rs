//! What retires: a warning before the day, an error from the day on.

use crate::Context;
use causeway_model::codes::{self, Code};
use causeway_model::design::{Cluster, IngressKind, Mode, Os, PolicyEngine};
use causeway_model::facts::lifecycle::{self, Retirement, Retiring};
use causeway_model::finding::{Finding, Severity};

pub(super) fn check(cx: &Context, path: &str, cluster: &Cluster, out: &mut Vec<Finding>) {
    let mut retire = |what: Retiring, code: Code, object: String, who: String| {
        if let Some(row) = lifecycle::retirement(what) {
            out.push(finding(cx, row, code, object, &who));
        }
    };
    if cluster.mode == Some(Mode::Kubenet) {
        retire(Retiring::Kubenet, codes::MODE_RETIRING, format!("{path}.mode"), "the mode of this cluster".to_owned());
    }
    if cluster.network_policy == Some(PolicyEngine::Azure) {
        let object = format!("{path}.networkPolicy");
        let (mut linux, mut windows) = (cluster.pools.is_empty(), false);
        for pool in cluster.pools.values() {
            linux |= pool.os == Os::Linux;
            windows |= pool.os == Os::Windows;
        }
        if linux {
            retire(
                Retiring::NpmLinux,
                codes::POLICY_ENGINE_RETIRING,
                object.clone(),
                "the policy engine of the Linux pools".to_owned(),
            );
        }
        if windows {
            retire(
                Retiring::NpmWindows,
                codes::POLICY_ENGINE_RETIRING,
                object,
                "the policy engine of the Windows pools".to_owned(),
            );
        }
    }
    if cluster.load_balancer_sku.as_deref().is_some_and(|sku| sku.eq_ignore_ascii_case("basic")) {
        retire(
            Retiring::BasicLoadBalancer,
            codes::FEATURE_RETIRING,
            format!("{path}.loadBalancerSku"),
            "the load balancer".to_owned(),
        );
    }
    if cluster.open_service_mesh {
        retire(
            Retiring::OpenServiceMesh,
            codes::FEATURE_RETIRING,
            format!("{path}.openServiceMesh"),
            "the service mesh of this cluster".to_owned(),
        );
    }
    for (at, ingress) in cluster.ingress.iter().enumerate() {
        if ingress.kind == IngressKind::Nginx {
            retire(
                Retiring::NginxAppRouting,
                codes::FEATURE_RETIRING,
                format!("{path}.ingress.{at}.kind"),
                "an ingress of this cluster".to_owned(),
            );
        }
    }
    for (name, _) in cluster.pools.iter().filter(|(_, pool)| pool.availability_set) {
        retire(
            Retiring::AvailabilitySets,
            codes::FEATURE_RETIRING,
            format!("{path}.pools.{name}.availabilitySet"),
            format!("the machine set of pool `{name}`"),
        );
    }
    for (name, pool) in &cluster.pools {
        let sku = pool.os_sku.as_deref().unwrap_or_default().to_ascii_lowercase();
        let what = match sku.as_str() {
            "windows2019" => Retiring::Windows2019,
            "windows2022" => Retiring::Windows2022,
            "windowsannual" => Retiring::WindowsAnnual,
            "cblmariner" | "mariner" | "azurelinux2" => Retiring::AzureLinux2,
            _ => continue,
        };
        retire(
            what,
            codes::FEATURE_RETIRING,
            format!("{path}.pools.{name}.osSku"),
            format!("the system of pool `{name}`"),
        );
    }
    if cluster.http_application_routing {
        out.push(
            Finding::new(
                codes::FEATURE_RETIRING,
                format!("{path}.httpApplicationRouting"),
                "the HTTP application routing add-on is retired and not meant for production",
            )
            .severity(Severity::Error)
            .help("move to the application routing add-on with the Gateway API, and switch this one off"),
        );
    }
}

fn finding(cx: &Context, row: &Retirement, code: Code, object: String, who: &str) -> Finding {
    let over = cx.as_of > row.ends;
    let message = if over {
        format!("{who} is {}, which ended on {}", row.name, row.ends)
    } else {
        let days = cx.as_of.until(row.ends).map_or(0, |span| span.get_days());
        format!("{who} is {}, which ends on {} (in {days} days)", row.name, row.ends)
    };
    let finding = Finding::new(code, object, message)
        .severity(if over { Severity::Error } else { Severity::Warning })
        .help(format!("plan the move to {}", row.instead))
        .on(row.name)
        .evidence(format!("announced in {}", row.document));
    super::cited(finding, lifecycle::RETIREMENTS.about())
}
