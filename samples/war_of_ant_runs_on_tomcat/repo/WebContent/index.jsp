<%@ page import="example.Lights" contentType="text/html; charset=UTF-8" %>
<html><body><%= Lights.all().size() %> lights, the first is <%= Lights.all().get(0) %></body></html>
