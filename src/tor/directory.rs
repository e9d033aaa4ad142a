//! The network's directory, read on a thread of its own.
//!
//! The public network has some 8,000 relays. To parse and verify their directory, to apply the difference to the last one,
//! and to store it takes up to some hundred milliseconds, in which a thread does nothing else. So the tasks of Arti's
//! directory manager, which comes about once in two hours, are not on the thread of the room and its circuits.

use std::sync::Arc;
use std::time::SystemTime;

use arti_client::config::Reconfigure;
use arti_client::{DirProviderBuilder, ErrorDetail};
use async_trait::async_trait;
use futures_util::stream::BoxStream;
use tor_circmgr::CircMgr;
use tor_config::ReconfigureError;
use tor_dirmgr::config::DirMgrConfig;
use tor_dirmgr::{DirBootstrapStatus, DirMgr, DirMgrStore, DirProvider};
use tor_netdir::params::NetParameters;
use tor_netdir::{DirEvent, NetDir, NetDirProvider, Timeliness};
use tor_netdoc::doc::netstatus::ProtoStatuses;
use tor_rtcompat::scheduler::TaskHandle;

use super::activity::{Activity, MonitoredRuntime, monitored_runtime};
use super::build_timeout::BuildTimeout;
use super::tasks::Tasks;

/// Builds a [`Directory`] for Arti's client.
pub(super) struct DirectoryBuilder {
    /// Where its tasks are tracked.
    pub(super) tasks: Tasks,
    pub(super) activity: Arc<Activity>,
}

/// Arti's directory manager, which works on threads of its own.
struct Directory {
    manager: Arc<DirMgr<MonitoredRuntime>>,
    tasks: Tasks,
    build_timeout: BuildTimeout,
}

impl DirProviderBuilder<MonitoredRuntime> for DirectoryBuilder {
    fn build(
        &self,
        _runtime: MonitoredRuntime,
        store: DirMgrStore<MonitoredRuntime>,
        circuits: Arc<CircMgr<MonitoredRuntime>>,
        config: DirMgrConfig,
    ) -> arti_client::Result<Arc<dyn DirProvider>> {
        let tasks = self.tasks.with_own_threads();
        let runtime = monitored_runtime(&tasks, Arc::clone(&self.activity));
        let manager = DirMgr::create_unbootstrapped(config, runtime, store, circuits)
            .map_err(ErrorDetail::DirMgrSetup)?;
        Ok(Arc::new(Directory { manager, tasks, build_timeout: BuildTimeout::default() }))
    }
}

#[async_trait]
impl DirProvider for Directory {
    fn reconfigure(&self, config: &DirMgrConfig, how: Reconfigure) -> Result<(), ReconfigureError> {
        DirProvider::reconfigure(&self.manager, config, how)
    }

    async fn bootstrap(&self) -> Result<(), tor_dirmgr::Error> {
        // It reads the stored directory before it waits for anything.
        let manager = Arc::clone(&self.manager);
        self.tasks.run_on_own_thread(async move { manager.bootstrap().await }).await
    }

    fn bootstrap_events(&self) -> BoxStream<'static, DirBootstrapStatus> {
        DirProvider::bootstrap_events(&self.manager)
    }

    fn download_task_handle(&self) -> Option<TaskHandle> {
        DirProvider::download_task_handle(&self.manager)
    }
}

impl NetDirProvider for Directory {
    fn netdir(&self, timeliness: Timeliness) -> tor_netdir::Result<Arc<NetDir>> {
        self.manager.netdir(timeliness).map(|directory| self.build_timeout.raise(directory))
    }

    fn events(&self) -> BoxStream<'static, DirEvent> {
        self.manager.events()
    }

    fn params(&self) -> Arc<dyn AsRef<NetParameters>> {
        self.manager.params()
    }

    fn protocol_statuses(&self) -> Option<(SystemTime, Arc<ProtoStatuses>)> {
        self.manager.protocol_statuses()
    }
}
