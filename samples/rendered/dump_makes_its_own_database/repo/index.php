<?php
$texts = require "config/texts.php";
$bells = (require "config/database.php")->query("SELECT count(*) AS n FROM bells")->fetch_assoc();
?>
<!DOCTYPE html>
<title><?= $texts["title"] ?></title>
<p><?= $bells["n"] ?> bells ring.</p>
