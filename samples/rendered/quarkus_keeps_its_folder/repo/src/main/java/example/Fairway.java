package example;

import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;

@Path("/fairway")
public class Fairway {
    @GET
    public String depth() {
        return "11 m";
    }
}
