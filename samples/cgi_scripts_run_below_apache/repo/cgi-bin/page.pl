sub page {
    my ($title, $text) = @_;
    return "<html><head><title>$title</title></head><body><h1>$title</h1><p>$text</p></body></html>\n";
}
1;
