import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;

/**
 * What Spark with Delta answers about a lake, as CSV without a header: java Ask.java SQL TABLE=FOLDER...
 * read.py says with which jars and options. It must not write but below java.io.tmpdir.
 */
public class Ask {
    public static void main(String[] args) {
        SparkSession spark = SparkSession.builder()
            .master("local[2]")
            .config("spark.ui.enabled", "false")
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.driver.bindAddress", "127.0.0.1")
            .config("spark.sql.warehouse.dir", System.getProperty("java.io.tmpdir") + "/warehouse")
            .config("spark.sql.session.timeZone", "UTC")
            // Defaults are for clusters: a table of a few files would be read by hundreds of tasks.
            .config("spark.sql.shuffle.partitions", "2")
            .config("spark.databricks.delta.snapshotPartitions", "2")
            .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
            .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
            .getOrCreate();
        for (int i = 1; i < args.length; i++) {
            String[] table = args[i].split("=", 2);
            spark.read().format("delta").load(table[1]).createOrReplaceTempView(table[0]);
        }
        for (Row row : spark.sql(args[0]).collectAsList()) {
            List<String> cells = new ArrayList<>();
            for (int i = 0; i < row.length(); i++) {
                Object value = row.get(i);
                cells.add(value instanceof BigDecimal number ? number.toPlainString() : value == null ? "" : value.toString());
            }
            System.out.println(String.join(",", cells));
        }
        System.out.flush();
        // All is said: Spark takes seconds to end politely.
        Runtime.getRuntime().halt(0);
    }
}
