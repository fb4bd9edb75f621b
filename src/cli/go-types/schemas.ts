/**
 * Docker's types as its command line decodes them, because a template sees Go's fields and not JSON's: `{{.HostConfig.DNS}}` is
 * "Dns" in JSON, `{{.State}}` prints values in this order, and a field that is no field is an error.
 *
 * A line is `type: field; field …`, a field `Name[/jsonName][?] type`. `?` is left out of JSON when empty (omitempty), `+` an embedded
 * struct, whose fields count as the outer one's. A `!pattern` behind the type's name is its String method.
 */
export const SCHEMAS = `
container.InspectResponse: +ContainerJSONBase *container.ContainerJSONBase; Mounts []container.MountPoint; Config *container.Config; NetworkSettings *container.NetworkSettings; ImageManifestDescriptor? *v1.Descriptor
container.ContainerJSONBase: ID/Id string; Created string; Path string; Args []string; State *container.State; Image string; ResolvConfPath string; HostnamePath string; HostsPath string; LogPath string; Name string; RestartCount int; Driver string; Platform string; MountLabel string; ProcessLabel string; AppArmorProfile string; ExecIDs []string; HostConfig *container.HostConfig; GraphDriver storage.DriverData; SizeRw? *int; SizeRootFs? *int
container.State: Status string; Running bool; Paused bool; Restarting bool; OOMKilled bool; Dead bool; Pid int; ExitCode int; Error string; StartedAt string; FinishedAt string; Health? *container.Health
container.Health: Status string; FailingStreak int; Log []*container.HealthcheckResult
container.HealthcheckResult: Start time; End time; ExitCode int; Output string
container.MountPoint: Type? string; Name? string; Source string; Destination string; Driver? string; Mode string; RW bool; Propagation string
container.HostConfig: Binds []string; ContainerIDFile string; LogConfig container.LogConfig; NetworkMode string; PortBindings map[nat.Port][]nat.PortBinding; RestartPolicy container.RestartPolicy; AutoRemove bool; VolumeDriver string; VolumesFrom []string; ConsoleSize [2]int; Annotations? map[string]string; CapAdd []string; CapDrop []string; CgroupnsMode string; DNS/Dns []string; DNSOptions/DnsOptions []string; DNSSearch/DnsSearch []string; ExtraHosts []string; GroupAdd []string; IpcMode string; Cgroup string; Links []string; OomScoreAdj int; PidMode string; Privileged bool; PublishAllPorts bool; ReadonlyRootfs bool; SecurityOpt []string; StorageOpt? map[string]string; Tmpfs? map[string]string; UTSMode string; UsernsMode string; ShmSize int; Sysctls? map[string]string; Runtime? string; Isolation string; +Resources container.Resources; Mounts? []mount.Mount; MaskedPaths []string; ReadonlyPaths []string; Init? *bool
container.LogConfig: Type string; Config map[string]string
container.RestartPolicy: Name string; MaximumRetryCount int
container.Resources: CPUShares/CpuShares int; Memory int; NanoCPUs/NanoCpus int; CgroupParent string; BlkioWeight int; BlkioWeightDevice []*blkiodev.WeightDevice; BlkioDeviceReadBps []*blkiodev.ThrottleDevice; BlkioDeviceWriteBps []*blkiodev.ThrottleDevice; BlkioDeviceReadIOps []*blkiodev.ThrottleDevice; BlkioDeviceWriteIOps []*blkiodev.ThrottleDevice; CPUPeriod/CpuPeriod int; CPUQuota/CpuQuota int; CPURealtimePeriod/CpuRealtimePeriod int; CPURealtimeRuntime/CpuRealtimeRuntime int; CpusetCpus string; CpusetMems string; Devices []container.DeviceMapping; DeviceCgroupRules []string; DeviceRequests []container.DeviceRequest; KernelMemory? int; KernelMemoryTCP? int; MemoryReservation int; MemorySwap int; MemorySwappiness *int; OomKillDisable *bool; PidsLimit *int; Ulimits []*units.Ulimit; CPUCount/CpuCount int; CPUPercent/CpuPercent int; IOMaximumIOps int; IOMaximumBandwidth int
container.DeviceMapping: PathOnHost string; PathInContainer string; CgroupPermissions string
container.DeviceRequest: Driver string; Count int; DeviceIDs []string; Capabilities [][]string; Options map[string]string
blkiodev.WeightDevice!{Path}:{Weight}: Path string; Weight int
blkiodev.ThrottleDevice!{Path}:{Rate}: Path string; Rate int
units.Ulimit!{Name}={Soft}:{Hard}: Name string; Hard int; Soft int
nat.PortBinding: HostIP/HostIp string; HostPort string
mount.Mount: Type? string; Source? string; Target? string; ReadOnly? bool; Consistency? string; BindOptions? *mount.BindOptions; VolumeOptions? *mount.VolumeOptions; ImageOptions? *mount.ImageOptions; TmpfsOptions? *mount.TmpfsOptions; ClusterOptions? *mount.ClusterOptions
mount.BindOptions: Propagation? string; NonRecursive? bool; CreateMountpoint? bool; ReadOnlyNonRecursive? bool; ReadOnlyForceRecursive? bool
mount.VolumeOptions: NoCopy? bool; Labels? map[string]string; Subpath? string; DriverConfig? *mount.Driver
mount.Driver: Name? string; Options? map[string]string
mount.ImageOptions: Subpath? string
mount.TmpfsOptions: SizeBytes? int; Mode? int; Options? [][]string
mount.ClusterOptions:
container.Config: Hostname string; Domainname string; User string; AttachStdin bool; AttachStdout bool; AttachStderr bool; ExposedPorts? map[nat.Port]struct{}; Tty bool; OpenStdin bool; StdinOnce bool; Env []string; Cmd []string; Healthcheck? *v1.HealthcheckConfig; ArgsEscaped? bool; Image string; Volumes map[string]struct{}; WorkingDir string; Entrypoint []string; NetworkDisabled? bool; MacAddress? string; OnBuild []string; Labels map[string]string; StopSignal? string; StopTimeout? *int; Shell? []string
v1.HealthcheckConfig: Test? []string; Interval? duration; Timeout? duration; StartPeriod? duration; StartInterval? duration; Retries? int
container.NetworkSettings: +NetworkSettingsBase container.NetworkSettingsBase; +DefaultNetworkSettings container.DefaultNetworkSettings; Networks map[string]*network.EndpointSettings
container.NetworkSettingsBase: Bridge string; SandboxID string; SandboxKey string; Ports map[nat.Port][]nat.PortBinding; HairpinMode bool; LinkLocalIPv6Address string; LinkLocalIPv6PrefixLen int; SecondaryIPAddresses []network.Address; SecondaryIPv6Addresses []network.Address
container.DefaultNetworkSettings: EndpointID string; Gateway string; GlobalIPv6Address string; GlobalIPv6PrefixLen int; IPAddress string; IPPrefixLen int; IPv6Gateway string; MacAddress string
network.Address: Addr string; PrefixLen int
network.EndpointSettings: IPAMConfig *network.EndpointIPAMConfig; Links []string; Aliases []string; MacAddress string; DriverOpts map[string]string; GwPriority int; NetworkID string; EndpointID string; Gateway string; IPAddress string; IPPrefixLen int; IPv6Gateway string; GlobalIPv6Address string; GlobalIPv6PrefixLen int; DNSNames []string
network.EndpointIPAMConfig: IPv4Address? string; IPv6Address? string; LinkLocalIPs? []string
storage.DriverData: Data map[string]string; Name string
v1.Descriptor: MediaType/mediaType string; Digest/digest string; Size/size int; URLs/urls? []string; Annotations/annotations? map[string]string; Platform/platform? *v1.Platform; ArtifactType/artifactType? string
v1.Platform: Architecture/architecture string; OS/os string; OSVersion/os.version? string; OSFeatures/os.features? []string; Variant/variant? string
image.InspectResponse: ID/Id string; RepoTags []string; RepoDigests []string; Parent string; Comment string; Created? string; Container? string; ContainerConfig? *container.Config; DockerVersion string; Author string; Config *v1.DockerOCIImageConfig; Architecture string; Variant? string; Os string; OsVersion? string; Size int; VirtualSize? int; GraphDriver storage.DriverData; RootFS image.RootFS; Metadata image.Metadata; Descriptor? *v1.Descriptor; Manifests? []image.ManifestSummary
v1.DockerOCIImageConfig: +ImageConfig v1.ImageConfig; +DockerOCIImageConfigExt v1.DockerOCIImageConfigExt
v1.ImageConfig: User? string; ExposedPorts? map[string]struct{}; Env? []string; Entrypoint? []string; Cmd? []string; Volumes? map[string]struct{}; WorkingDir? string; Labels? map[string]string; StopSignal? string; ArgsEscaped? bool
v1.DockerOCIImageConfigExt: Healthcheck? *v1.HealthcheckConfig; OnBuild? []string; Shell? []string
image.RootFS: Type? string; Layers? []string
image.Metadata: LastTagTime? time
image.ManifestSummary: ID string; Descriptor v1.Descriptor; Available bool; Kind string
volume.Volume: ClusterVolume? *volume.ClusterVolume; CreatedAt? string; Driver string; Labels map[string]string; Mountpoint string; Name string; Options map[string]string; Scope string; Status? map[string]any; UsageData? *volume.UsageData
volume.ClusterVolume: ID string
volume.UsageData: RefCount int; Size int
network.Inspect: Name string; ID/Id string; Created time; Scope string; Driver string; EnableIPv4 bool; EnableIPv6 bool; IPAM network.IPAM; Internal bool; Attachable bool; Ingress bool; ConfigFrom network.ConfigReference; ConfigOnly bool; Containers map[string]network.EndpointResource; Options map[string]string; Labels map[string]string; Peers? []network.PeerInfo; Services? map[string]network.ServiceInfo
network.IPAM: Driver string; Options map[string]string; Config []network.IPAMConfig
network.IPAMConfig: Subnet? string; IPRange? string; Gateway? string; AuxAddress/AuxiliaryAddresses? map[string]string
network.ConfigReference: Network string
network.EndpointResource: Name string; EndpointID string; MacAddress string; IPv4Address string; IPv6Address string
network.PeerInfo: Name string; IP string
network.ServiceInfo: VIP string
system.dockerInfo: +Info? *system.Info; ServerErrors? []string; UserName? string; ClientInfo? *system.clientInfo; ClientErrors? []string
system.Info: ID string; Containers int; ContainersRunning int; ContainersPaused int; ContainersStopped int; Images int; Driver string; DriverStatus [][]string; SystemStatus? [][]string; Plugins system.PluginsInfo; MemoryLimit bool; SwapLimit bool; KernelMemory? bool; KernelMemoryTCP? bool; CPUCfsPeriod/CpuCfsPeriod bool; CPUCfsQuota/CpuCfsQuota bool; CPUShares bool; CPUSet bool; PidsLimit bool; IPv4Forwarding bool; Debug bool; NFd int; OomKillDisable bool; NGoroutines int; SystemTime string; LoggingDriver string; CgroupDriver string; CgroupVersion? string; NEventsListener int; KernelVersion string; OperatingSystem string; OSVersion string; OSType string; Architecture string; IndexServerAddress string; RegistryConfig *registry.ServiceConfig; NCPU int; MemTotal int; GenericResources []swarm.GenericResource; DockerRootDir string; HTTPProxy/HttpProxy string; HTTPSProxy/HttpsProxy string; NoProxy string; Name string; Labels []string; ExperimentalBuild bool; ServerVersion string; Runtimes map[string]system.RuntimeWithStatus; DefaultRuntime string; Swarm swarm.Info; LiveRestoreEnabled bool; Isolation string; InitBinary string; ContainerdCommit system.Commit; RuncCommit system.Commit; InitCommit system.Commit; SecurityOptions []string; ProductLicense? string; DefaultAddressPools? []system.NetworkAddressPool; FirewallBackend? *system.FirewallInfo; CDISpecDirs []string; DiscoveredDevices? []system.DeviceInfo; Containerd? *system.ContainerdInfo; Warnings []string
system.PluginsInfo: Volume []string; Network []string; Authorization []string; Log []string
registry.ServiceConfig: AllowNondistributableArtifactsCIDRs? []string; AllowNondistributableArtifactsHostnames? []string; IndexConfigs map[string]*registry.IndexInfo; InsecureRegistryCIDRs []string; Mirrors []string
registry.IndexInfo: Mirrors []string; Name string; Official bool; Secure bool
swarm.GenericResource:
swarm.Info: NodeID string; NodeAddr string; LocalNodeState string; ControlAvailable bool; Error string; RemoteManagers []swarm.Peer; Nodes? int; Managers? int; Cluster? *swarm.ClusterInfo; Warnings? []string
swarm.Peer: NodeID string; Addr string
swarm.ClusterInfo: ID string
system.RuntimeWithStatus: +Runtime system.Runtime; Status/status? map[string]string
system.Runtime: Path/path? string; Args/runtimeArgs? []string; Type/runtimeType? string; Options/options? map[string]any
system.Commit: ID string; Expected? string
system.NetworkAddressPool: Base string; Size int
system.FirewallInfo: Driver string; Info? [][]string
system.DeviceInfo: Source string; ID string
system.ContainerdInfo: Address? string; Namespaces system.ContainerdNamespaces
system.ContainerdNamespaces: Containers string; Plugins string
system.clientInfo: Debug bool; +clientVersion system.clientVersion; Plugins []any; Warnings []string
system.versionInfo: Client system.clientVersion; Server *types.Version
system.clientVersion: Platform? *system.platformInfo; Version? string; APIVersion/ApiVersion? string; DefaultAPIVersion? string; GitCommit? string; GoVersion? string; Os? string; Arch? string; BuildTime? string; Context string
system.platformInfo: Name? string
types.Version: Platform types.platform; Components? []types.ComponentVersion; Version string; APIVersion/ApiVersion string; MinAPIVersion? string; GitCommit string; GoVersion string; Os string; Arch string; KernelVersion? string; Experimental? bool; BuildTime? string
types.platform: Name string
types.ComponentVersion: Name string; Version string; Details? map[string]string
events.Message: Status/status? string; ID/id? string; From/from? string; Type string; Action string; Actor events.Actor; Scope/scope? string; Time/time? int; TimeNano/timeNano? int
events.Actor: ID string; Attributes map[string]string
context.contextWithTLSListing: +Metadata store.Metadata; TLSMaterial map[string][]string; Storage store.StorageInfo
store.Metadata: Name? string; Metadata? command.DockerContext; Endpoints? map[string]context.EndpointMetaBase
command.DockerContext: Description? string; AdditionalFields? map[string]any
context.EndpointMetaBase: Host? string; SkipTLSVerify bool
store.StorageInfo: MetadataPath string; TLSPath string
`;
