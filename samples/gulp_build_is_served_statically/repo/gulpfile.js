const { dest, parallel, series, src, watch } = require('gulp');
const rename = require('gulp-rename');

const pages = () => src('app/*.html').pipe(dest('dist'));
const styles = () => src('app/shop.css').pipe(rename('shop.min.css')).pipe(dest('dist/css'));

exports.build = parallel(pages, styles);
exports.default = series(exports.build, () => watch('app', exports.build));
