//! Private DNS zones by service: which zone answers for which public names.

/// A service with private endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PrivateZone {
    /// The service.
    pub service: &'static str,
    /// Sub-resources of its endpoints.
    pub members: &'static [&'static str],
    /// Zones; `{region}` and the like stand for one label.
    pub zones: &'static [&'static str],
    /// Suffixes of the public names; as above.
    pub suffixes: &'static [&'static str],
}

const fn zone(
    service: &'static str,
    members: &'static [&'static str],
    zones: &'static [&'static str],
    suffixes: &'static [&'static str],
) -> PrivateZone {
    PrivateZone { service, members, zones, suffixes }
}

facts! {
    /// Zones of the public cloud.
    ZONES: &[PrivateZone] = &[
            zone("Azure SQL Database", &["sqlServer"], &["privatelink.database.windows.net"], &["database.windows.net"]),
            zone("SQL Managed Instance", &["managedInstance"], &["privatelink.{dnsPrefix}.database.windows.net"], &["{dnsPrefix}.database.windows.net"]),
            zone("Synapse SQL", &["Sql", "SqlOnDemand"], &["privatelink.sql.azuresynapse.net"], &["sql.azuresynapse.net"]),
            zone("Synapse Dev", &["Dev"], &["privatelink.dev.azuresynapse.net"], &["dev.azuresynapse.net"]),
            zone("Storage blob", &["blob", "blob_secondary"], &["privatelink.blob.core.windows.net"], &["blob.core.windows.net"]),
            zone("Storage table", &["table"], &["privatelink.table.core.windows.net"], &["table.core.windows.net"]),
            zone("Storage queue", &["queue"], &["privatelink.queue.core.windows.net"], &["queue.core.windows.net"]),
            zone("Storage file", &["file"], &["privatelink.file.core.windows.net"], &["file.core.windows.net"]),
            zone("Storage web", &["web"], &["privatelink.web.core.windows.net"], &["web.core.windows.net"]),
            zone("Data Lake Gen2", &["dfs"], &["privatelink.dfs.core.windows.net"], &["dfs.core.windows.net"]),
            zone("File Sync", &["afs"], &["privatelink.afs.azure.net"], &["afs.azure.net"]),
            zone("Managed disks", &["disks"], &["privatelink.blob.core.windows.net"], &["blob.core.windows.net"]),
            zone("Cosmos DB NoSQL", &["Sql"], &["privatelink.documents.azure.com"], &["documents.azure.com"]),
            zone("Cosmos DB MongoDB", &["MongoDB"], &["privatelink.mongo.cosmos.azure.com"], &["mongo.cosmos.azure.com"]),
            zone("Cosmos DB MongoDB vCore", &["MongoCluster"], &["privatelink.mongocluster.cosmos.azure.com"], &["mongocluster.cosmos.azure.com"]),
            zone("Cosmos DB Cassandra", &["Cassandra"], &["privatelink.cassandra.cosmos.azure.com"], &["cassandra.cosmos.azure.com"]),
            zone("Cosmos DB Gremlin", &["Gremlin"], &["privatelink.gremlin.cosmos.azure.com"], &["gremlin.cosmos.azure.com"]),
            zone("Cosmos DB Table", &["Table"], &["privatelink.table.cosmos.azure.com"], &["table.cosmos.azure.com"]),
            zone("Cosmos DB PostgreSQL", &["coordinator"], &["privatelink.postgres.cosmos.azure.com"], &["postgres.cosmos.azure.com"]),
            zone("PostgreSQL single and flexible server", &["postgresqlServer"], &["privatelink.postgres.database.azure.com"], &["postgres.database.azure.com"]),
            zone("MySQL single and flexible server", &["mysqlServer"], &["privatelink.mysql.database.azure.com"], &["mysql.database.azure.com"]),
            zone("MariaDB", &["mariadbServer"], &["privatelink.mariadb.database.azure.com"], &["mariadb.database.azure.com"]),
            zone("Cache for Redis", &["redisCache"], &["privatelink.redis.cache.windows.net"], &["redis.cache.windows.net"]),
            zone("Redis Enterprise", &["redisEnterprise"], &["privatelink.redisenterprise.cache.azure.net"], &["redisenterprise.cache.azure.net"]),
            zone("Managed Redis", &["redisEnterprise"], &["privatelink.redis.azure.net"], &["{region}.redis.azure.net"]),
            zone("Key Vault", &["vault"], &["privatelink.vaultcore.azure.net"], &["vault.azure.net", "vaultcore.azure.net"]),
            zone("Managed HSM", &["managedhsm"], &["privatelink.managedhsm.azure.net"], &["managedhsm.azure.net"]),
            zone("App Configuration", &["configurationStores"], &["privatelink.azconfig.io"], &["azconfig.io"]),
            zone("AKS API server", &["management"], &["privatelink.{region}.azmk8s.io", "{subzone}.privatelink.{region}.azmk8s.io"], &["{region}.azmk8s.io"]),
            zone("Container Registry", &["registry"], &["privatelink.azurecr.io"], &["azurecr.io"]),
            zone("Container Registry data endpoint", &["registry"], &["privatelink.azurecr.io"], &["{region}.data.azurecr.io"]),
            zone("Container Apps", &["managedEnvironments"], &["privatelink.{region}.azurecontainerapps.io"], &["azurecontainerapps.io"]),
            zone("Event Hubs", &["namespace"], &["privatelink.servicebus.windows.net"], &["servicebus.windows.net"]),
            zone("Service Bus", &["namespace"], &["privatelink.servicebus.windows.net"], &["servicebus.windows.net"]),
            zone("Relay", &["namespace"], &["privatelink.servicebus.windows.net"], &["servicebus.windows.net"]),
            zone("Event Grid", &["topic", "domain"], &["privatelink.eventgrid.azure.net"], &["eventgrid.azure.net"]),
            zone("IoT Hub", &["iotHub"], &["privatelink.azure-devices.net"], &["azure-devices.net"]),
            zone("Web Apps / Functions", &["sites"], &["privatelink.azurewebsites.net"], &["azurewebsites.net"]),
            zone("Web Apps SCM", &["sites"], &["scm.privatelink.azurewebsites.net"], &["scm.azurewebsites.net"]),
            zone("API Management", &["Gateway"], &["privatelink.azure-api.net"], &["azure-api.net"]),
            zone("SignalR", &["signalr"], &["privatelink.service.signalr.net"], &["service.signalr.net"]),
            zone("Web PubSub", &["webpubsub"], &["privatelink.webpubsub.azure.com"], &["webpubsub.azure.com"]),
            zone("AI Search", &["searchService"], &["privatelink.search.windows.net"], &["search.windows.net"]),
            zone("AI services", &["account"], &["privatelink.cognitiveservices.azure.com"], &["cognitiveservices.azure.com"]),
            zone("Azure OpenAI", &["account"], &["privatelink.openai.azure.com"], &["openai.azure.com"]),
            zone("Machine Learning", &["amlworkspace"], &["privatelink.api.azureml.ms", "privatelink.notebooks.azure.net"], &["api.azureml.ms", "notebooks.azure.net"]),
            zone("Azure Monitor (AMPLS)", &["azuremonitor"], &["privatelink.monitor.azure.com", "privatelink.oms.opinsights.azure.com", "privatelink.ods.opinsights.azure.com", "privatelink.agentsvc.azure-automation.net", "privatelink.blob.core.windows.net"], &["monitor.azure.com", "oms.opinsights.azure.com", "ods.opinsights.azure.com", "agentsvc.azure-automation.net", "blob.core.windows.net"]),
            zone("Managed Prometheus", &["prometheusMetrics"], &["privatelink.{region}.prometheus.monitor.azure.com"], &["{region}.prometheus.monitor.azure.com"]),
            zone("Managed Grafana", &["grafana"], &["privatelink.grafana.azure.com"], &["grafana.azure.com"]),
            zone("Data Factory", &["dataFactory"], &["privatelink.datafactory.azure.net"], &["datafactory.azure.net"]),
            zone("Data Explorer", &["cluster"], &["privatelink.{region}.kusto.windows.net"], &["{region}.kusto.windows.net"]),
            zone("Databricks", &["databricks_ui_api"], &["privatelink.azuredatabricks.net"], &["azuredatabricks.net"]),
            zone("Automation", &["Webhook", "DSCAndHybridWorker"], &["privatelink.azure-automation.net"], &["{regionCode}.azure-automation.net"]),
            zone("Backup", &["AzureBackup"], &["privatelink.{regionCode}.backup.windowsazure.com"], &["{regionCode}.backup.windowsazure.com"]),
            zone("Site Recovery", &["AzureSiteRecovery"], &["privatelink.siterecovery.windowsazure.com"], &["{regionCode}.siterecovery.windowsazure.com"]),
            zone("Batch", &["batchAccount", "nodeManagement"], &["privatelink.batch.azure.com"], &["{region}.batch.azure.com"]),
            zone("Arc / cluster extensions", &["hybridcompute"], &["privatelink.his.arc.azure.com", "privatelink.guestconfiguration.azure.com", "privatelink.dp.kubernetesconfiguration.azure.com"], &["his.arc.azure.com", "guestconfiguration.azure.com", "dp.kubernetesconfiguration.azure.com"]),
            zone("Purview", &["account"], &["privatelink.purview.azure.com"], &["purview.azure.com"]),
            zone("Static Web Apps", &["staticSites"], &["privatelink.azurestaticapps.net", "privatelink.{partitionId}.azurestaticapps.net"], &["azurestaticapps.net"]),
        ],
        "pdns.zones" DocOld 2023-10-11 "private-endpoint-dns.md"
        "merged from two copies of the page; Batch and File Sync differ between them, the newer counts";
    /// Some zones of the US government cloud.
    ZONES_US_GOVERNMENT: &[&str] = &[
            "privatelink.database.usgovcloudapi.net", "privatelink.blob.core.usgovcloudapi.net",
            "privatelink.azure-automation.us",
        ],
        "pdns.zones_usgov_examples" DocOld 2023-10-11 "private-endpoint-dns.md"
        "not complete";
    /// Some zones in China.
    ZONES_CHINA: &[&str] = &["privatelink.database.chinacloudapi.cn", "privatelink.documents.azure.cn"],
        "pdns.zones_china_examples" DocOld 2023-10-11 "private-endpoint-dns.md"
        "not complete";
}

/// Services whose public names a host name belongs to, with the zone that would answer for it.
pub fn for_name(name: &str) -> impl Iterator<Item = &'static PrivateZone> {
    ZONES.value.iter().filter(move |zone| zone.suffixes.iter().any(|suffix| ends_with(name, suffix)))
}

/// Whether a zone of the table is the one that answers for a host name: the public one, or the one below the zone itself.
pub fn answers_for(zone: &str, name: &str) -> bool {
    let below = name.trim_end_matches('.').to_ascii_lowercase();
    let zone = zone.trim_end_matches('.').to_ascii_lowercase();
    below.strip_suffix(&zone).is_some_and(|rest| rest.ends_with('.'))
        || for_name(name).any(|row| row.zones.iter().any(|pattern| same(&zone, pattern)))
}

/// Whether a name is one of the zones of this table.
pub fn is_zone(name: &str) -> bool {
    ZONES.value.iter().flat_map(|zone| zone.zones).any(|pattern| same(name, pattern))
}

/// Whether `name` is the pattern, label by label; `{…}` in the pattern is any one label.
fn same(name: &str, pattern: &str) -> bool {
    let (mut names, mut patterns) = (name.trim_end_matches('.').rsplit('.'), pattern.rsplit('.'));
    loop {
        match (names.next(), patterns.next()) {
            (None, None) => return true,
            (Some(name), Some(pattern)) if label(name, pattern) => {}
            _ => return false,
        }
    }
}

/// Whether `name` lies below the pattern, at least one label.
fn ends_with(name: &str, pattern: &str) -> bool {
    let mut names = name.trim_end_matches('.').rsplit('.');
    pattern.rsplit('.').all(|pattern| names.next().is_some_and(|name| label(name, pattern))) && names.next().is_some()
}

fn label(name: &str, pattern: &str) -> bool {
    !name.is_empty() && (pattern.starts_with('{') || name.eq_ignore_ascii_case(pattern))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_find_their_zone() {
        for (name, zone) in [
            ("kv-prod.vault.azure.net", Some("privatelink.vaultcore.azure.net")),
            ("data.blob.core.windows.net", Some("privatelink.blob.core.windows.net")),
            ("sql-1.database.windows.net", Some("privatelink.database.windows.net")),
            ("mi.a1b2c3.database.windows.net", Some("privatelink.database.windows.net")),
            ("acr.azurecr.io", Some("privatelink.azurecr.io")),
            ("cluster.westeurope.azmk8s.io", Some("privatelink.{region}.azmk8s.io")),
            ("Bus.Servicebus.Windows.Net.", Some("privatelink.servicebus.windows.net")),
            ("vault.azure.net", None),
            ("example.com", None),
            ("", None),
        ] {
            assert_eq!(for_name(name).next().and_then(|found| found.zones.first()).copied(), zone, "{name}");
        }
    }

    #[test]
    fn zones_answer_for_public_names_and_their_own() {
        for (zone, name, answers) in [
            ("privatelink.vaultcore.azure.net", "kv-prod.vault.azure.net", true),
            ("privatelink.vaultcore.azure.net", "kv-prod.privatelink.vaultcore.azure.net", true),
            ("privatelink.vaultcore.azure.net", "data.blob.core.windows.net", false),
            ("privatelink.azurecr.io", "acr.azurecr.io", true),
            ("privatelink.azurecr.io", "xprivatelink.azurecr.io", true),
            ("corp.example", "a.corp.example", true),
            ("corp.example", "acorp.example", false),
        ] {
            assert_eq!(answers_for(zone, name), answers, "{zone} {name}");
        }
    }

    #[test]
    fn zones_are_recognised() {
        for (zone, known) in [
            ("privatelink.vaultcore.azure.net", true),
            ("PrivateLink.VaultCore.Azure.net", true),
            ("privatelink.westeurope.azmk8s.io", true),
            ("prod.privatelink.westeurope.azmk8s.io", true),
            ("privatelink.azmk8s.io", false),
            ("vaultcore.azure.net", false),
            ("corp.example", false),
        ] {
            assert_eq!(is_zone(zone), known, "{zone}");
        }
    }
}
