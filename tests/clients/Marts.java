import java.sql.*;
import java.util.Properties;

/** A BI tool: what schema marts holds by the driver's metadata, then what each statement gives. */
public class Marts {
    public static void main(String[] arguments) throws Exception {
        Properties login = new Properties();
        login.setProperty("user", arguments[1]);
        login.setProperty("password", System.getenv("PGPASSWORD"));
        try (Connection connection = DriverManager.getConnection(arguments[0], login)) {
            DatabaseMetaData metadata = connection.getMetaData();
            try (ResultSet tables = metadata.getTables(null, "marts", "%", new String[] {"TABLE", "VIEW"})) {
                while (tables.next()) {
                    say("table", tables.getString("TABLE_NAME"), tables.getString("TABLE_TYPE"), tables.getString("REMARKS"));
                }
            }
            try (ResultSet columns = metadata.getColumns(null, "marts", "%", "%")) {
                while (columns.next()) {
                    say("column", columns.getString("TABLE_NAME"), columns.getString("COLUMN_NAME"),
                        columns.getString("TYPE_NAME"), columns.getString("REMARKS"));
                }
            }
            // What tools ask for besides, and must not fail on.
            ask("schemas", metadata.getSchemas());
            ask("types", metadata.getTypeInfo());
            ask("keys", metadata.getPrimaryKeys(null, "marts", "views"));
            ask("indexes", metadata.getIndexInfo(null, "marts", "views", false, true));
            ask("functions", metadata.getFunctions(null, "marts", "%"));
            for (int number = 2; number < arguments.length; number++) {
                try (Statement statement = connection.createStatement()) {
                    if (!statement.execute(arguments[number])) {
                        say("done", String.valueOf(number - 2));
                        continue;
                    }
                    try (ResultSet rows = statement.getResultSet()) {
                        while (rows.next()) {
                            say("row", String.valueOf(number - 2), rows.getString(1), rows.getString(2));
                        }
                    }
                } catch (SQLException error) {
                    say("refused", String.valueOf(number - 2), error.getSQLState());
                }
            }
        }
    }

    private static void ask(String what, ResultSet answer) throws SQLException {
        while (answer.next()) {}
        say("metadata", what);
    }

    private static void say(String... words) {
        System.out.println(String.join("\t", words));
    }
}
