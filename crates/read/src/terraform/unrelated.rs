//! Types that have no part in a network: they are left out without a word, so that what is noted stands out.

use super::plan::Instance;
use crate::tree::{Node, Value};

/// Providers whose resources are no objects of a network.
const PROVIDERS: &[&str] = &[
    "random",
    "tls",
    "time",
    "null",
    "local",
    "http",
    "external",
    "archive",
    "template",
    "terraform",
    "azuread",
    "modtm",
    "cloudinit",
    "github",
    "gitlab",
    "azuredevops",
    "assert",
    "utils",
    "pkcs12",
    "acme",
    "vault",
    "azurecaf",
    "namep",
    "static",
];

/// Beginnings of types of the `azurerm` provider, without `azurerm_`. A `*` at the end stands for anything.
const TYPES: &str = "resource_group resource_group_template_deployment role_assignment role_definition pim_* marketplace_* \
    user_assigned_identity federated_identity_credential client_config subscription* management_* policy_* resource_policy_* \
    resource_provider_* resource_deployment_script* subscription_policy_* management_group* tenant_* \
    storage_* key_vault* log_analytics_* monitor_* application_insights* container_registry* dns_* \
    managed_disk disk_* image snapshot shared_image* ssh_public_key availability_set proximity_placement_group capacity_reservation* \
    virtual_machine_extension virtual_machine_data_disk_attachment linux_virtual_machine windows_virtual_machine virtual_machine \
    dedicated_host* marketplace_agreement virtual_machine_run_command dev_test_* maintenance_* \
    network_watcher* network_ddos_protection_plan application_security_group network_interface_application_security_group_association \
    network_interface_backend_address_pool_association network_interface_nat_rule_association \
    network_interface_application_gateway_backend_address_pool_association lb_backend_address_pool* lb_probe lb_rule lb_nat_rule \
    lb_nat_pool application_load_balancer_frontend application_load_balancer_security_policy web_application_firewall_policy \
    express_route_circuit* express_route_port* ip_group_data subnet_service_endpoint_storage_policy private_endpoint_application_security_group_association \
    kubernetes_cluster_extension kubernetes_cluster_trusted_access_role_binding kubernetes_flux_configuration kubernetes_fleet* \
    kubernetes_service_versions kubernetes_node_pool_snapshot arc_kubernetes_* dashboard_* consumption_* cost_* billing_* \
    recovery_services_* backup_* site_recovery_* data_protection_* sentinel_* security_center_* advanced_threat_protection \
    eventhub* eventgrid_* servicebus_* notification_hub* relay_* app_configuration* automation_* batch_* cdn_* cognitive_* \
    cosmosdb_* data_factory_* databox_* digital_twins_* iothub* iotcentral_* logic_app_* load_test machine_learning_* \
    ai_* search_* signalr_* web_pubsub* static_* traffic_manager_* mssql_* sql_* mysql_* mariadb_* postgresql_* redis_* \
    managed_redis* stream_analytics_* synapse_* purview_* powerbi_* kusto_* portal_* lighthouse_* confidential_ledger \
    communication_* email_* healthcare_* maps_* media_* service_plan app_service* linux_web_app* windows_web_app* \
    linux_function_app* windows_function_app* function_app* spring_cloud_* source_control_token advisor_* app_registration \
    user_assigned_* location extension_* chaos_* oracle_* public_maintenance_configurations \
    private_dns_mx_record private_dns_ptr_record private_dns_soa_record private_dns_srv_record private_dns_txt_record \
    nginx_* attestation_* fluid_relay_* video_* bot_* graph_* orchestrated_* custom_provider stack_hci_* storage_mover*";

/// Keys with which an object says that it stands in a subnet: such an object takes addresses, whatever it is.
const STANDS_IN: &[&str] = &[
    "subnet_id",
    "subnetid",
    "vnet_subnet_id",
    "vnetsubnetid",
    "delegated_subnet_id",
    "delegatedsubnetresourceid",
    "infrastructure_subnet_id",
    "infrastructuresubnetid",
    "virtual_network_subnet_id",
    "virtualnetworksubnetid",
    "gateway_subnet_id",
];

/// Providers of Resource Manager whose objects are no part of a network.
const ARM: &str = "microsoft.resources microsoft.authorization microsoft.managedidentity microsoft.storage microsoft.keyvault \
    microsoft.operationalinsights microsoft.operationsmanagement microsoft.insights microsoft.monitor microsoft.alertsmanagement \
    microsoft.containerregistry microsoft.dashboard microsoft.security microsoft.securityinsights microsoft.policyinsights \
    microsoft.kubernetesconfiguration microsoft.recoveryservices microsoft.dataprotection microsoft.eventhub microsoft.eventgrid \
    microsoft.servicebus microsoft.documentdb microsoft.sql microsoft.dbforpostgresql microsoft.dbformysql microsoft.cache \
    microsoft.cognitiveservices microsoft.machinelearningservices microsoft.search microsoft.web microsoft.app \
    microsoft.appconfiguration microsoft.automation microsoft.batch microsoft.cdn microsoft.logic microsoft.maintenance \
    microsoft.features microsoft.consumption microsoft.costmanagement microsoft.billing microsoft.loadtestservice microsoft.chaos \
    microsoft.extendedlocation microsoft.hybridcompute microsoft.kubernetes microsoft.guestconfiguration microsoft.advisor \
    microsoft.devtestlab microsoft.datafactory microsoft.databricks microsoft.purview microsoft.synapse microsoft.communication";

/// Types of providers that have a part in networks otherwise.
const ARM_TYPES: &str = "microsoft.network/networkwatchers microsoft.network/networkwatchers/flowlogs microsoft.network/ddosprotectionplans \
    microsoft.network/applicationsecuritygroups microsoft.network/dnszones microsoft.network/expressroutecircuits \
    microsoft.network/applicationgatewaywebapplicationfirewallpolicies microsoft.network/networkintentpolicies \
    microsoft.containerservice/managedclusters/maintenanceconfigurations \
    microsoft.containerservice/managedclusters/trustedaccessrolebindings microsoft.containerservice/fleets \
    microsoft.compute/disks microsoft.compute/snapshots microsoft.compute/images microsoft.compute/sshpublickeys \
    microsoft.compute/availabilitysets microsoft.compute/proximityplacementgroups microsoft.compute/virtualmachines \
    microsoft.compute/virtualmachines/extensions microsoft.compute/diskencryptionsets microsoft.compute/galleries \
    microsoft.servicenetworking/trafficcontrollers/frontends microsoft.servicenetworking/trafficcontrollers/securitypolicies";

/// Whether an object of Terraform has no part in a network. `what` is its type, of Resource Manager's for `azapi`.
pub(super) fn is_unrelated(instance: &Instance, what: &str) -> bool {
    let stands = instance.values.is_some_and(|values| stands_in_a_subnet(values, 0))
        || instance.unknown.is_some_and(|unknown| stands_in_a_subnet(unknown, 0));
    let (provider, rest) = what.split_once('_').unwrap_or((what, ""));
    match provider {
        _ if what.contains('/') => is_unrelated_arm(what) && !stands,
        "azurerm" => TYPES.split_whitespace().any(|pattern| fits(pattern, rest)) && !stands,
        "azapi" => matches!(
            rest,
            "client_config" | "resource_action" | "data_plane_resource" | "resource_id" | "resource_list"
        ),
        _ => PROVIDERS.contains(&provider),
    }
}

/// Whether a type of Resource Manager has no part in a network.
pub(crate) fn is_unrelated_arm(arm: &str) -> bool {
    let arm = arm.to_ascii_lowercase();
    let provider = arm.split('/').next().unwrap_or_default();
    // Extensions stand below what they extend: `…/providers/Microsoft.Authorization/roleAssignments`.
    ARM.split_whitespace().any(|known| known == provider) || ARM_TYPES.split_whitespace().any(|known| known == arm)
}

fn fits(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => name == pattern,
    }
}

fn stands_in_a_subnet(node: &Node, depth: usize) -> bool {
    if depth > 8 {
        return false;
    }
    match &node.value {
        Value::Scalar(_) => false,
        Value::Seq(items) => items.iter().any(|item| stands_in_a_subnet(item, depth + 1)),
        Value::Map(entries) => entries.iter().any(|entry| {
            let is_key = STANDS_IN.contains(&entry.key.to_ascii_lowercase().as_str());
            let is_set = !entry.node.is_null() && entry.node.text() != Some("") && entry.node.text() != Some("false");
            (is_key && is_set && entry.node.text().is_some()) || stands_in_a_subnet(&entry.node, depth + 1)
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{Limits, parse};
    use causeway_model::source::{FileId, Span};

    fn unrelated(kind: &str, values: &str) -> bool {
        let values = parse(values, FileId(0), &Limits::default()).unwrap().remove(0);
        let instance = Instance {
            address: format!("{kind}.x").into(),
            module: Vec::new(),
            data: false,
            kind: kind.into(),
            name: "x".into(),
            key: None,
            values: Some(&values),
            unknown: None,
            sensitive: None,
            at: Span { file: FileId(0), start: 0, end: 0 },
            fresh: true,
        };
        is_unrelated(&instance, kind)
    }

    #[test]
    fn what_takes_no_addresses_is_left_out_without_a_word() {
        assert!(unrelated("azurerm_storage_account", "{}"));
        assert!(unrelated("azurerm_role_assignment", "{}"));
        assert!(unrelated("random_pet", "{}"));
        assert!(!unrelated("azurerm_virtual_hub", "{}"));
        assert!(!unrelated("aws_instance", "{}"));
        assert!(!unrelated("kubernetes_network_policy", "{}"));
    }

    #[test]
    fn what_stands_in_a_subnet_is_noted() {
        let server = "azurerm_postgresql_flexible_server";
        assert!(unrelated(server, r#"{"delegated_subnet_id": null}"#));
        assert!(!unrelated(server, r#"{"delegated_subnet_id": "/subscriptions/s"}"#));
        assert!(unrelated("azurerm_storage_account", r#"{"network_rules": [{"virtual_network_subnet_ids": ["/s"]}]}"#));
        assert!(is_unrelated_arm("Microsoft.Storage/storageAccounts"));
        assert!(!is_unrelated_arm("Microsoft.Network/virtualHubs"));
    }
}
