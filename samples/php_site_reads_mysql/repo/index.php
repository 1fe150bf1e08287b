<?php
$database = new mysqli(getenv("DB_HOST"), getenv("DB_USER"), getenv("DB_PASSWORD"), getenv("DB_NAME"));
$count = $database->query("SELECT count(*) FROM moorings")->fetch_row()[0];
echo "$count moorings";
