package club;

import java.sql.*;

public class Database {
    private static final String URL = "jdbc:mysql://localhost:3306/club?useSSL=false";
    private static final String USER = "root";
    private static final String PASSWORD = "root";

    public static Connection connect() throws SQLException {
        return DriverManager.getConnection(URL, USER, PASSWORD);
    }
}
