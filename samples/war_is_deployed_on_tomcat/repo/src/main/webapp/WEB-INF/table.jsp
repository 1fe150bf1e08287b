<%@ page contentType="text/html; charset=UTF-8" %>
<%@ taglib prefix="c" uri="http://java.sun.com/jsp/jstl/core" %>
<html>
<head><title>Tides</title></head>
<body>
<c:forEach var="entry" items="${table}">
  <p>${entry.key} at ${port}: ${entry.value}</p>
</c:forEach>
</body>
</html>
