#!/usr/bin/env php
<?php
// Debian's Composer takes these from the extension intl, which the official php images lack. They serve to align texts.
if (!function_exists('normalizer_is_normalized')) {
    class Normalizer
    {
        const NFD = 4;
        const NFKD = 8;
        const NFC = 16;
        const NFKC = 32;
    }
    function normalizer_is_normalized($text, $form = Normalizer::NFC)
    {
        return true;
    }
    function normalizer_normalize($text, $form = Normalizer::NFC)
    {
        return $text;
    }
    function grapheme_strlen($text)
    {
        return mb_strlen($text, 'UTF-8');
    }
    function grapheme_substr($text, $start, $length = null)
    {
        return mb_substr($text, $start, $length, 'UTF-8');
    }
    function grapheme_strpos($text, $part, $offset = 0)
    {
        return mb_strpos($text, $part, $offset, 'UTF-8');
    }
}
// And these are PHP 8's own.
if (PHP_VERSION_ID < 80000) {
    interface Stringable
    {
    }
    function str_contains($text, $part)
    {
        return $part === '' || strpos($text, $part) !== false;
    }
    function str_starts_with($text, $part)
    {
        return strncmp($text, $part, strlen($part)) === 0;
    }
    function str_ends_with($text, $part)
    {
        return $part === '' || substr($text, -strlen($part)) === $part;
    }
    function get_debug_type($value)
    {
        return is_object($value) ? get_class($value) : gettype($value);
    }
}
error_reporting(E_ALL & ~E_DEPRECATED & ~E_USER_DEPRECATED);
Phar::mapPhar('composer.phar');
require 'phar://composer.phar/bin/composer';
__HALT_COMPILER();
