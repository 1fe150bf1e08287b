package example.harbour;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;

import javax.servlet.ServletException;
import javax.servlet.http.HttpServlet;
import javax.servlet.http.HttpServletRequest;
import javax.servlet.http.HttpServletResponse;

public class TideServlet extends HttpServlet {
    private static final long serialVersionUID = 1L;

    @Override
    protected void doGet(HttpServletRequest request, HttpServletResponse response)
            throws ServletException, IOException {
        String name = System.getenv("TIDES_PORT_NAME");
        Map<String, String> table = new LinkedHashMap<>();
        table.put("High water", "04:13");
        table.put("Low water", "10:31");
        request.setAttribute("port", name == null ? "Falmouth" : name);
        request.setAttribute("table", table);
        request.getRequestDispatcher("/WEB-INF/table.jsp").forward(request, response);
    }
}
