var gulp = require('gulp');
var concat = require('gulp-concat');
var uglify = require('gulp-uglify');
var browserSync = require('browser-sync');

gulp.task('scripts', function () {
  return gulp.src(['bower_components/angular/angular.js', 'app/**/*.js'])
    .pipe(concat('band.js'))
    .pipe(uglify())
    .pipe(gulp.dest('dist'));
});

gulp.task('pages', function () {
  return gulp.src(['app/index.html', 'bower_components/bootstrap/dist/css/bootstrap.css'])
    .pipe(gulp.dest('dist'));
});

gulp.task('build', gulp.parallel('scripts', 'pages'));

gulp.task('serve', gulp.series('build', function () {
  browserSync.init({ server: 'dist' });
  gulp.watch('app/**/*', gulp.series('build'));
}));
