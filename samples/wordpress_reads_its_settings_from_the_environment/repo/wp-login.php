<?php
require __DIR__ . '/wp-load.php';
?>
<form method="post"><input name="log"><input name="pwd" type="password"></form>
