<?php
require "includes/db.php";
$loans = $conn->query("SELECT count(*) AS n FROM loans")->fetch_assoc();
?>
<!DOCTYPE html>
<title>Village library</title>
<h1>Village library</h1>
<p><?= $loans["n"] ?> books are on loan.</p>
