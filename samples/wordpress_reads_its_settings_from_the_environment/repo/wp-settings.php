<?php
$link = mysqli_connect( DB_HOST, DB_USER, DB_PASSWORD, DB_NAME );
if ( ! $link ) {
	die( 'Error establishing a database connection' );
}
