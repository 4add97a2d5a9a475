/** Labels that Envoy takes out of statistics' names (well_known_names: tag extraction). */
export const HTTP_LABEL = 'envoy_http_conn_manager_prefix'
export const CLUSTER_LABEL = 'envoy_cluster_name'
export const LISTENER_LABEL = 'envoy_listener_address'
export const TCP_LABEL = 'envoy_tcp_prefix'
export const CLASS_LABEL = 'envoy_response_code_class'
export const CODE_LABEL = 'envoy_response_code'
/** Of grpc_stats; empty: all methods together. */
export const GRPC_SERVICE_LABEL = 'envoy_grpc_bridge_service'
export const GRPC_METHOD_LABEL = 'envoy_grpc_bridge_method'
/** Of rules_stat_prefix or shadow_rules_stat_prefix. */
export const RBAC_LABEL = 'envoy_rbac_prefix'
/** Of track_per_rule_stats. */
export const RBAC_POLICY_LABEL = 'envoy_rbac_policy_name'
/** Of a filter's own stat_prefix. */
export const FILTER_LABEL = 'envoy_http_filter_prefix'
/** Of faults: x-envoy-downstream-service-cluster. */
export const FAULT_LABEL = 'envoy_fault_downstream_cluster'
/** Of virtual hosts, and of what is counted within them. */
export const VIRTUAL_HOST_LABEL = 'envoy_virtual_host'
export const VIRTUAL_CLUSTER_LABEL = 'envoy_virtual_cluster'
export const ROUTE_LABEL = 'envoy_route'
/** Of the stat_prefix of network and listener filters. */
export const CONNECTION_LIMIT_LABEL = 'envoy_connection_limit_prefix'
export const NETWORK_RATE_LIMIT_LABEL = 'envoy_local_network_ratelimit_prefix'
export const NETWORK_EXT_AUTHZ_LABEL = 'envoy_ext_authz_prefix'
export const NETWORK_RBAC_LABEL = 'envoy_network_rbac_prefix'
export const LOCAL_RATE_LIMIT_LABEL = 'envoy_local_http_ratelimit_prefix'
export const PROXY_PROTOCOL_LABEL = 'envoy_proxy_protocol_prefix'
/** Of scoped_routes. */
export const SCOPED_RDS_LABEL = 'envoy_scoped_rds_config'
/** The name of a filter's config in ECDS. */
export const EXTENSION_CONFIG_LABEL = 'envoy_extension_config'
