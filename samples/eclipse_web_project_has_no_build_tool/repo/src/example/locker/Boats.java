package example.locker;

import java.io.IOException;
import java.io.InputStream;
import java.util.Properties;

import javax.servlet.ServletContext;

class Boats {
    private Boats() {
    }

    static int count(ServletContext context) throws IOException {
        Properties boats = new Properties();
        InputStream in = context.getResourceAsStream("/WEB-INF/boats.properties");
        try {
            boats.load(in);
        } finally {
            in.close();
        }
        return boats.size();
    }
}
