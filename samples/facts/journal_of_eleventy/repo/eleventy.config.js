export default function () {
  return { dir: { input: 'pages', output: 'site' } };
}
