//! Tables of the standard about what a lake does not have. They are there, without rows, because tools join them.

/// Names, and the columns that the standard gives them.
pub const ABSENT: [(&str, &str); 19] = [
    ("administrable_role_authorizations", "grantee, role_name, is_grantable"),
    ("applicable_roles", "grantee, role_name, is_grantable"),
    (
        "attributes",
        "udt_catalog, udt_schema, udt_name, attribute_name, ordinal_position, attribute_default, is_nullable, data_type, \
         character_maximum_length, character_octet_length, numeric_precision, numeric_precision_radix, numeric_scale, \
         datetime_precision, interval_type, attribute_udt_catalog, attribute_udt_schema, attribute_udt_name, \
         maximum_cardinality, dtd_identifier, is_derived_reference_attribute",
    ),
    (
        "column_domain_usage",
        "domain_catalog, domain_schema, domain_name, table_catalog, table_schema, table_name, column_name",
    ),
    (
        "domain_constraints",
        "constraint_catalog, constraint_schema, constraint_name, domain_catalog, domain_schema, domain_name, \
         is_deferrable, initially_deferred",
    ),
    ("domain_udt_usage", "udt_catalog, udt_schema, udt_name, domain_catalog, domain_schema, domain_name"),
    (
        "domains",
        "domain_catalog, domain_schema, domain_name, data_type, character_maximum_length, character_octet_length, \
         character_set_catalog, character_set_schema, character_set_name, collation_catalog, collation_schema, \
         collation_name, numeric_precision, numeric_precision_radix, numeric_scale, datetime_precision, interval_type, \
         domain_default, udt_catalog, udt_schema, udt_name, maximum_cardinality, dtd_identifier",
    ),
    (
        "foreign_data_wrappers",
        "foreign_data_wrapper_catalog, foreign_data_wrapper_name, authorization_identifier, library_name, \
         foreign_data_wrapper_language",
    ),
    (
        "foreign_servers",
        "foreign_server_catalog, foreign_server_name, foreign_data_wrapper_catalog, foreign_data_wrapper_name, \
         foreign_server_type, foreign_server_version, authorization_identifier",
    ),
    (
        "foreign_tables",
        "foreign_table_catalog, foreign_table_schema, foreign_table_name, foreign_server_catalog, foreign_server_name",
    ),
    (
        "role_usage_grants",
        "grantor, grantee, object_catalog, object_schema, object_name, object_type, privilege_type, is_grantable",
    ),
    (
        "sequences",
        "sequence_catalog, sequence_schema, sequence_name, data_type, numeric_precision, numeric_precision_radix, \
         numeric_scale, start_value, minimum_value, maximum_value, increment, cycle_option",
    ),
    (
        "triggered_update_columns",
        "trigger_catalog, trigger_schema, trigger_name, event_object_catalog, event_object_schema, event_object_table, \
         event_object_column",
    ),
    (
        "triggers",
        "trigger_catalog, trigger_schema, trigger_name, event_manipulation, event_object_catalog, event_object_schema, \
         event_object_table, action_order, action_condition, action_statement, action_orientation, action_timing, \
         action_reference_old_table, action_reference_new_table, action_reference_old_row, action_reference_new_row, \
         created",
    ),
    ("udt_privileges", "grantor, grantee, udt_catalog, udt_schema, udt_name, privilege_type, is_grantable"),
    (
        "usage_privileges",
        "grantor, grantee, object_catalog, object_schema, object_name, object_type, privilege_type, is_grantable",
    ),
    (
        "user_defined_types",
        "user_defined_type_catalog, user_defined_type_schema, user_defined_type_name, user_defined_type_category, \
         is_instantiable, is_final, ordering_form, ordering_category, data_type",
    ),
    ("user_mappings", "authorization_identifier, foreign_server_catalog, foreign_server_name"),
    ("view_routine_usage", "table_catalog, table_schema, table_name, specific_catalog, specific_schema, specific_name"),
];
