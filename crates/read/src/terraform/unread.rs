//! Attributes that nobody here knows: a newer version of the provider has them, and what they change is not in the design.
//! Attributes that are known and have no part in a design (disks, tags, add-ons) are listed here, so that the rest stands out.

use super::plan::Instance;
use crate::tree::{Node, Value};
use causeway_model::design::{Note, NoteKind};
use causeway_model::source::Span;
use std::collections::BTreeMap;

/// The attributes of one block of a type, with those of versions 3 to 5 of the provider.
struct Level {
    kind: &'static str,
    block: &'static [&'static str],
    known: &'static str,
}

/// Attributes of every object.
const EVERYWHERE: &str = "id name location resource_group_name tags timeouts";

const POOL: &str = "auto_scaling_enabled enable_auto_scaling node_public_ip_enabled enable_node_public_ip host_encryption_enabled \
    enable_host_encryption node_count min_count max_count max_pods os_sku os_type vm_size node_labels node_taints zones availability_zones \
    vnet_subnet_id pod_subnet_id pod_ip_allocation_mode upgrade_settings only_critical_addons_enabled mode priority type \
    kubernetes_cluster_id capacity_reservation_group_id custom_ca_trust_enabled eviction_policy fips_enabled gpu_driver gpu_instance \
    host_group_id kubelet_config kubelet_disk_type linux_os_config message_of_the_day node_network_profile node_public_ip_prefix_id \
    orchestrator_version os_disk_size_gb os_disk_type proximity_placement_group_id scale_down_mode snapshot_id spot_max_price \
    temporary_name_for_rotation ultra_ssd_enabled windows_profile workload_runtime artifact_streaming_enabled";

const RULE: &str = "description priority direction access protocol source_address_prefix source_address_prefixes source_port_range \
    source_port_ranges destination_address_prefix destination_address_prefixes destination_port_range destination_port_ranges \
    source_application_security_group_ids destination_application_security_group_ids network_security_group_name";

const ROUTE: &str = "address_prefix next_hop_type next_hop_in_ip_address route_table_name";

const LEVELS: &[Level] = &[
    Level {
        kind: "azurerm_kubernetes_cluster",
        block: &[],
        known: "aci_connector_linux addon_profile ai_toolchain_operator_enabled api_server_access_profile api_server_authorized_ip_ranges \
            auto_scaler_profile automatic_channel_upgrade automatic_upgrade_channel azure_active_directory_role_based_access_control \
            azure_policy_enabled bootstrap_profile confidential_computing cost_analysis_enabled current_kubernetes_version \
            custom_ca_trust_certificates_base64 default_node_pool disk_encryption_set_id dns_prefix dns_prefix_private_cluster edge_zone \
            enable_pod_security_policy fqdn http_application_routing_enabled http_application_routing_zone_name http_proxy_config identity \
            image_cleaner_enabled image_cleaner_interval_hours ingress_application_gateway key_management_service \
            key_vault_secrets_provider kube_admin_config kube_admin_config_raw kube_config kube_config_raw kubelet_identity \
            kubernetes_version linux_profile local_account_disabled maintenance_window maintenance_window_auto_upgrade \
            maintenance_window_node_os microsoft_defender monitor_metrics network_profile node_os_channel_upgrade \
            node_os_upgrade_channel node_provisioning_profile node_resource_group node_resource_group_id oidc_issuer_enabled \
            oidc_issuer_url oms_agent portal_fqdn private_cluster_enabled \
            private_cluster_public_fqdn_enabled private_dns_zone_id private_fqdn public_network_access_enabled \
            role_based_access_control_enabled run_command_enabled service_mesh_profile service_principal sku_tier storage_profile \
            support_plan upgrade_override web_app_routing windows_profile workload_autoscaler_profile workload_identity_enabled",
    },
    Level {
        kind: "azurerm_kubernetes_cluster",
        block: &["network_profile"],
        known: "network_plugin network_plugin_mode network_mode network_policy dns_service_ip docker_bridge_cidr ebpf_data_plane \
            network_data_plane ip_versions outbound_type load_balancer_sku load_balancer_profile nat_gateway_profile pod_cidr pod_cidrs \
            service_cidr service_cidrs advanced_networking outbound_ip_address_ids outbound_ip_prefix_ids",
    },
    Level {
        kind: "azurerm_kubernetes_cluster",
        block: &["network_profile", "load_balancer_profile"],
        known: "managed_outbound_ip_count managed_outbound_ipv6_count outbound_ip_address_ids outbound_ip_prefix_ids \
            outbound_ports_allocated idle_timeout_in_minutes backend_pool_type effective_outbound_ips",
    },
    Level {
        kind: "azurerm_kubernetes_cluster",
        block: &["network_profile", "nat_gateway_profile"],
        known: "managed_outbound_ip_count idle_timeout_in_minutes effective_outbound_ips",
    },
    Level {
        kind: "azurerm_kubernetes_cluster",
        block: &["network_profile", "advanced_networking"],
        known: "observability_enabled security_enabled",
    },
    Level {
        kind: "azurerm_kubernetes_cluster",
        block: &["api_server_access_profile"],
        known: "authorized_ip_ranges subnet_id virtual_network_integration_enabled vnet_integration_enabled",
    },
    Level { kind: "azurerm_kubernetes_cluster", block: &["default_node_pool"], known: POOL },
    Level { kind: "azurerm_kubernetes_cluster_node_pool", block: &[], known: POOL },
    Level {
        kind: "azurerm_virtual_network",
        block: &[],
        known: "address_space bgp_community ddos_protection_plan dns_servers edge_zone encryption flow_timeout_in_minutes guid \
            ip_address_pool private_endpoint_vnet_policies subnet",
    },
    Level {
        kind: "azurerm_subnet",
        block: &[],
        known: "address_prefix address_prefixes default_outbound_access_enabled delegation \
            enforce_private_link_endpoint_network_policies enforce_private_link_service_network_policies ip_address_pool \
            network_security_group_id network_security_group_id_wo network_security_group_id_wo_version \
            private_endpoint_network_policies private_endpoint_network_policies_enabled \
            private_link_service_network_policies_enabled route_table_id route_table_id_wo route_table_id_wo_version \
            service_endpoint service_endpoint_policy_ids service_endpoints sharing_scope virtual_network_name",
    },
    Level {
        kind: "azurerm_virtual_network_peering",
        block: &[],
        known: "allow_forwarded_traffic allow_gateway_transit allow_virtual_network_access local_subnet_names \
            only_ipv6_peering_enabled peer_complete_virtual_networks_enabled remote_subnet_names remote_virtual_network_id triggers \
            use_remote_gateways virtual_network_name",
    },
    Level {
        kind: "azurerm_route_table",
        block: &[],
        known: "bgp_route_propagation_enabled disable_bgp_route_propagation route subnets",
    },
    Level { kind: "azurerm_route_table", block: &["route"], known: ROUTE },
    Level { kind: "azurerm_route", block: &[], known: ROUTE },
    Level { kind: "azurerm_network_security_group", block: &[], known: "security_rule" },
    Level { kind: "azurerm_network_security_group", block: &["security_rule"], known: RULE },
    Level { kind: "azurerm_network_security_rule", block: &[], known: RULE },
    Level {
        kind: "azurerm_nat_gateway",
        block: &[],
        known: "idle_timeout_in_minutes public_ip_address_ids public_ip_prefix_ids resource_guid sku_name zones",
    },
];

/// Notes attributes that are set and not known, one note for all objects of a type.
pub(super) fn report(instances: &[Instance], notes: &mut Vec<Note>) {
    let mut found: BTreeMap<(&str, String), (usize, Span)> = BTreeMap::new();
    for instance in instances.iter().filter(|instance| !instance.data) {
        for level in LEVELS.iter().filter(|level| level.kind == instance.kind.as_ref()) {
            let known = |key: &str| {
                EVERYWHERE.split_whitespace().chain(level.known.split_whitespace()).any(|known| known == key)
            };
            for block in instance.values.map(|values| blocks(values, level.block)).unwrap_or_default() {
                for entry in block.entries().iter().filter(|entry| !known(&entry.key) && is_set(&entry.node)) {
                    let path = [level.block, &[entry.key.as_ref()]].concat().join(".");
                    found.entry((level.kind, path)).or_insert((0, entry.key_span)).0 += 1;
                }
            }
        }
    }
    for ((kind, path), (count, at)) in found {
        let objects = if count == 1 { "one object".to_owned() } else { format!("{count} objects") };
        let message = format!("`{path}` of {objects} of type `{kind}`: this version does not know it");
        notes.push(Note { kind: NoteKind::NotUnderstood, message, at: Some(at) });
    }
}

fn blocks<'a>(values: &'a Node, path: &[&str]) -> Vec<&'a Node> {
    path.iter().fold(vec![values], |found, name| {
        let inside = found.into_iter().filter_map(|node| node.get(name));
        inside
            .flat_map(|node| if node.as_map().is_some() { std::slice::from_ref(node) } else { node.items() })
            .collect()
    })
}

/// Says more than that there is nothing.
fn is_set(node: &Node) -> bool {
    match &node.value {
        Value::Scalar(_) => !node.is_null() && !matches!(node.text(), Some("" | "false" | "0")),
        Value::Seq(items) => items.iter().any(is_set),
        Value::Map(entries) => entries.iter().any(|entry| is_set(&entry.node)),
    }
}
