//! Metadata: exactly the columns that drivers insist on, patterns, keys, what the server can.

use std::sync::Arc;

use arrow::array::AsArray;
use arrow::datatypes::{DataType, Field, Schema};
use arrow_flight::sql::{
    CommandGetCrossReference, CommandGetDbSchemas, CommandGetExportedKeys, CommandGetImportedKeys,
    CommandGetPrimaryKeys, CommandGetTables, CommandGetXdbcTypeInfo, CommandStatementQuery, ProstMessageExt, SqlInfo,
};
use arrow_flight::{FlightClient, FlightDescriptor, IpcMessage};
use futures::TryStreamExt;
use prost::Message;

use super::site::{Site, answer, fetch, on_sample};

#[test]
fn metadata_has_the_columns_of_the_protocol() {
    on_sample(|| async {
        let site = Site::sample(|_| ()).await;
        let mut client = site.client().await;
        let info = client.get_catalogs().await.unwrap();
        // ADBC refuses others.
        let catalogs = Schema::new(vec![Field::new("catalog_name", DataType::Utf8, false)]);
        assert_eq!(info.clone().try_decode_schema().unwrap(), catalogs);
        assert_eq!(answer(&mut client, &info).await.rows, [["lake"]]);

        let pattern = |text: &str| CommandGetDbSchemas { catalog: None, db_schema_filter_pattern: Some(text.into()) };
        let info = client.get_db_schemas(pattern("%a%")).await.unwrap();
        let named = answer(&mut client, &info).await;
        assert_eq!(named.column("db_schema_name"), ["base", "main"]);
        let types = client.get_table_types().await.unwrap();
        let types = answer(&mut client, &types).await;
        assert!(types.column("table_type").contains(&"TABLE") && types.column("table_type").contains(&"VIEW"));

        let tables = |table: &str, kinds: &[&str], include_schema| CommandGetTables {
            catalog: Some("lake".into()),
            db_schema_filter_pattern: Some("base".into()),
            table_name_filter_pattern: Some(table.into()),
            table_types: kinds.iter().map(|k| k.to_string()).collect(),
            include_schema,
        };
        for (wanted, kinds, found) in [
            ("order_lin_", vec![], vec!["order_line"]),
            ("order\\_line", vec!["TABLE"], vec!["order_line"]),
            ("order\\_lin\\_", vec![], vec![]),
            ("ORDER_LINE", vec![], vec![]),
            ("order_line", vec!["VIEW"], vec![]),
        ] {
            let info = client.get_tables(tables(wanted, &kinds, false)).await.unwrap();
            let told = answer(&mut client, &info).await;
            assert_eq!(told.column("table_name"), found, "{wanted} {kinds:?}");
        }

        let info = client.get_tables(tables("order_line", &[], true)).await.unwrap();
        let rows = fetch(&mut client, &info).await.unwrap();
        let bytes = rows[0].column_by_name("table_schema").unwrap().as_binary::<i32>().value(0).to_vec();
        let line = Schema::try_from(IpcMessage(bytes.into())).unwrap();
        let net = line.field_with_name("net_amount").unwrap();
        let says = |what: &str| net.metadata().get(&format!("ARROW:FLIGHT:SQL:{what}")).cloned().unwrap_or_default();
        assert_eq!(
            (net.data_type(), says("PRECISION").as_str(), says("SCALE").as_str()),
            (&DataType::Decimal128(18, 4), "18", "4")
        );
        assert!(!says("REMARKS").is_empty() && says("TYPE_NAME").starts_with("DECIMAL"), "{net:?}");
        let same = client.execute("SELECT * FROM base.order_line LIMIT 0".into(), None).await.unwrap();
        let same = same.try_decode_schema().unwrap();
        let plain = |schema: &Schema| -> Vec<(String, DataType)> {
            schema.fields().iter().map(|f| (f.name().clone(), f.data_type().clone())).collect()
        };
        assert_eq!(plain(&line), plain(&same), "as queries give them");
        let described = |f: &Arc<Field>| f.metadata().contains_key("ARROW:FLIGHT:SQL:REMARKS");
        assert!(!same.fields().iter().any(described), "JDBC would take descriptions for labels");
        site.stop().await;
    });
}

#[test]
fn keys_come_from_the_contracts() {
    on_sample(|| async {
        let site = Site::sample(|_| ()).await;
        let mut client = site.client().await;
        let (catalog, base) = (Some("lake".to_string()), Some("base".to_string()));
        let command =
            CommandGetPrimaryKeys { catalog: catalog.clone(), db_schema: base.clone(), table: "order_line".into() };
        let info = client.get_primary_keys(command).await.unwrap();
        let key = answer(&mut client, &info).await;
        assert_eq!(key.column("column_name"), ["source_system", "order_id", "order_line_id"]);
        assert_eq!(key.column("key_sequence"), ["1", "2", "3"]);

        let command =
            CommandGetImportedKeys { catalog: catalog.clone(), db_schema: base.clone(), table: "order_line".into() };
        let info = client.get_imported_keys(command).await.unwrap();
        let imported = answer(&mut client, &info).await;
        let channel =
            imported.column("fk_column_name").iter().position(|c| *c == "channel_id").expect("channel_id refers");
        assert_eq!(imported.column("pk_table_name")[channel], "channel");
        let parent = Some(imported.column("pk_db_schema_name")[channel].to_string());

        let command =
            CommandGetExportedKeys { catalog: catalog.clone(), db_schema: parent.clone(), table: "channel".into() };
        let info = client.get_exported_keys(command).await.unwrap();
        let exported = answer(&mut client, &info).await;
        assert!(exported.column("fk_table_name").contains(&"order_line"), "{exported:?}");
        let command = CommandGetCrossReference {
            pk_catalog: catalog.clone(),
            pk_db_schema: parent,
            pk_table: "channel".into(),
            fk_catalog: catalog,
            fk_db_schema: base,
            fk_table: "order_line".into(),
        };
        let info = client.get_cross_reference(command).await.unwrap();
        assert_eq!(answer(&mut client, &info).await.column("fk_column_name"), ["channel_id"]);
        site.stop().await;
    });
}

#[test]
fn the_server_tells_what_it_can() {
    on_sample(|| async {
        let site = Site::sample(|_| ()).await;
        let mut client = site.client().await;
        let asked =
            vec![SqlInfo::FlightSqlServerName, SqlInfo::FlightSqlServerReadOnly, SqlInfo::SqlIdentifierQuoteChar];
        let info = client.get_sql_info(asked).await.unwrap();
        assert_eq!(answer(&mut client, &info).await.column("info_name"), ["0", "3", "504"]);
        let info = client.get_sql_info(Vec::new()).await.unwrap();
        let all = answer(&mut client, &info).await;
        // Drivers throw where one of these is missing.
        for id in (0..=11).chain(500..=576) {
            assert!(all.column("info_name").contains(&id.to_string().as_str()), "SqlInfo {id}");
        }
        let info = client.get_xdbc_type_info(CommandGetXdbcTypeInfo { data_type: None }).await.unwrap();
        let types = answer(&mut client, &info).await;
        assert!(types.rows.len() > 8, "{types:?}");
        let info = client.get_xdbc_type_info(CommandGetXdbcTypeInfo { data_type: Some(91) }).await.unwrap();
        assert_eq!(answer(&mut client, &info).await.column("data_type"), ["91"], "DATE");

        let mut flight = FlightClient::new(site.channel().await);
        let actions: Vec<_> = flight.list_actions().await.unwrap().try_collect().await.unwrap();
        let names: Vec<&str> = actions.iter().map(|a| a.r#type.as_str()).collect();
        assert!(names.contains(&"CreatePreparedStatement") && names.contains(&"CancelFlightInfo"), "{names:?}");
        assert!(
            !names.iter().any(|n| n.contains("Transaction") || n.contains("Savepoint") || n.contains("Substrait")),
            "{names:?}"
        );
        let query = CommandStatementQuery { query: "SELECT 42 AS answer".into(), transaction_id: None };
        let descriptor = FlightDescriptor::new_cmd(query.as_any().encode_to_vec());
        assert_eq!(flight.get_schema(descriptor.clone()).await.unwrap().field(0).name(), "answer");
        let polled = flight.poll_flight_info(descriptor).await.unwrap();
        assert!(polled.flight_descriptor.is_none(), "it is complete");
        assert_eq!(answer(&mut client, &polled.info.unwrap()).await.rows, [["42"]]);
        site.stop().await;
    });
}
