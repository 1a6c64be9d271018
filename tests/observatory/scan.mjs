// Has the MDN HTTP Observatory engine judge pages. Standard input: {engine, pages: [{host, path, cookie, httpsPort,
// httpPort}]}; standard output: a list of {grade, score, status, failed}. Every name means this machine.
// The engine's own scan() knows only front pages that answer 200; this is the same sum for any page of a site.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

createRequire(import.meta.url)("node:dns").lookup = (name, options, callback) => {
  const answer = { address: "127.0.0.1", family: 4 };
  return options?.all ? callback(null, [answer]) : callback(null, answer.address, answer.family);
};

const { engine, pages } = JSON.parse(readFileSync(0, "utf8"));
const part = (file) => import(pathToFileURL(`${engine}/src/${file}`).href);
const { ALL_TESTS } = await part("constants.js");
const { retrieve } = await part("retriever/retriever.js");
const { getGradeForScore, getScoreModifier } = await part("grader/grader.js");
const { MINIMUM_SCORE_FOR_EXTRA_CREDIT } = await part("grader/charts.js");

async function judge({ host, path, cookie, httpsPort, httpPort }) {
  const headers = cookie ? [`Cookie: ${cookie}`] : [];
  const requests = await retrieve(host, { path, httpsPort, httpPort, headers });
  if (!requests.responses.auto?.verified) throw new Error(`${host}${path} did not answer over trusted https`);
  const results = ALL_TESTS.map((test) => test(requests));
  const modifiers = results.map((result) => getScoreModifier(result.result));
  const withoutCredit = modifiers.reduce((sum, points) => sum + Math.min(points, 0), 100);
  const withCredit = modifiers.reduce((sum, points) => sum + points, 100);
  const { grade, score } = getGradeForScore(
    withoutCredit >= MINIMUM_SCORE_FOR_EXTRA_CREDIT ? withCredit : withoutCredit,
  );
  const failed = results.filter((result) => !result.pass).map((result) => result.result);
  return { grade, score, status: requests.responses.auto.status, failed, results: results.map((r) => r.result) };
}

const answers = [];
for (const page of pages) answers.push(await judge(page));
console.log(JSON.stringify(answers));
