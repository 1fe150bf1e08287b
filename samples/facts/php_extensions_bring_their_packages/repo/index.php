<?php
$database = new PDO("pgsql:host=" . getenv("DB_HOST"));
$archive = new ZipArchive();
echo "larder";
