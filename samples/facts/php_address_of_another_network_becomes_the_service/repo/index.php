<?php
$link = mysqli_connect('10.20.30.40', 'stall', 'herring', 'prices');
foreach (mysqli_query($link, 'SELECT name, price FROM fish') as $row) {
    echo $row['name'], ' ', $row['price'], "\n";
}
