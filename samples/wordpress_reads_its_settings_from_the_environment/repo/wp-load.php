<?php
define( 'ABSPATH', __DIR__ . '/' );

if ( file_exists( ABSPATH . 'wp-config.php' ) ) {
	require_once ABSPATH . 'wp-config.php';
} else {
	die( 'There is no wp-config.php' );
}
