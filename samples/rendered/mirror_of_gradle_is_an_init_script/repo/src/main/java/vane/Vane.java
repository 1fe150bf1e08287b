package vane;

import io.javalin.Javalin;

class Vane {
    public static void main(String[] arguments) {
        Javalin.create().get("/", context -> context.result("north")).start(8090);
    }
}
