//! Arti's client.

use std::sync::Arc;

use arti_client::{BootstrapBehavior, TorClient};

use super::activity::{Activity, MonitoredRuntime, monitored_runtime};
use super::configuration;
use super::directory::DirectoryBuilder;
use super::error::TorError;
use super::launch_config::LaunchConfig;
use super::tasks::Tasks;

/// Arti's client on a runtime whose tasks and connections are tracked.
pub(super) type Client = Arc<TorClient<MonitoredRuntime>>;

/// Creates a client that is not connected yet; its tasks run in `tasks`, its connections report to `activity`.
///
/// # Errors
/// When Arti refuses the configuration or cannot use its directories.
pub(super) fn create(
    config: &LaunchConfig,
    tasks: &Tasks,
    activity: Arc<Activity>,
) -> Result<Client, TorError> {
    let directory = DirectoryBuilder { tasks: tasks.clone(), activity: Arc::clone(&activity) };
    // It fails if a provider is installed already; any provider will do.
    let _ = rustls::crypto::ring::default_provider().install_default();
    TorClient::with_runtime(monitored_runtime(tasks, activity))
        .config(configuration::client(&config.storage, config.network.as_ref(), &config.options)?)
        .dirmgr_builder::<DirectoryBuilder>(Arc::new(directory))
        // Without it the service could not be launched before the bootstrap is done.
        .bootstrap_behavior(BootstrapBehavior::OnDemand)
        .create_unbootstrapped()
        .map_err(|error| TorError::start("its client did not start", &error))
}
