// Drives OpenAI's Node client against a server whose model is scripted; prints the same lines as driver.py. The model answers by
// test_with_a_model.py's script: what it is to say stands in the prompt. Run with an older and with the newest version of the client.
import assert from "node:assert/strict";
import { createReadStream } from "node:fs";
import OpenAI from "openai";

const { VLMRUN_BASE_URL: base, VLMRUN_API_KEY: apiKey, CALL } = process.env;
const client = new OpenAI({ apiKey, baseURL: `${base}/openai`, maxRetries: 0 });
const completions = client.chat.completions;
const parser = client.beta?.chat?.completions ?? completions; // where older versions have `parse` and `stream`
const model = "vlmrun-orion-1:auto";
const user = (content) => [{ role: "user", content }];
const person = { type: "object", properties: { name: { type: "string" }, age: { type: "integer" } }, required: ["name", "age"] };
const personFormat = { type: "json_schema", json_schema: { name: "person", schema: person, strict: true } };
const parameters = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const weather = { type: "function", function: { name: "get_weather", description: "The weather in a city", parameters } };

async function said(stream) {
  let words = "";
  for await (const chunk of stream) words += chunk.choices[0]?.delta?.content ?? "";
  return words;
}

const checks = {
  "models.list": async () => assert.ok((await client.models.list()).data.some((each) => each.id === model)),
  "chat.completions.create": async () => {
    const answer = await completions.create({ model, messages: user("CASE: echo.") });
    assert.equal(answer.choices[0].message.content, "Heard.");
    assert.ok(answer.session_id);
  },
  "chat.completions.create (stream)": async () => {
    const chunks = [];
    for await (const chunk of await completions.create({ model, messages: user("CASE: echo."), stream: true })) chunks.push(chunk);
    assert.equal(chunks.map((chunk) => chunk.choices[0]?.delta?.content ?? "").join(""), "Heard.");
    assert.ok(chunks.every((chunk) => chunk.session_id === chunks[0].session_id));
    assert.ok(chunks.at(-1).usage.total_tokens > 0);
  },
  "chat.completions.create (tools of the server)": async () => {
    const answer = await completions.create({ model, messages: user("CASE: chart."), toolsets: ["viz"] });
    const [id] = answer.choices[0].message.content.match(/img_[0-9a-f]{6}/);
    const url = `${base}/artifacts?session_id=${answer.session_id}&object_id=${id}`;
    const artifact = await fetch(url, { headers: { Authorization: `Bearer ${apiKey}` } });
    assert.equal(artifact.headers.get("content-type"), "image/png");
  },
  "chat.completions.create (client's tools)": async () => {
    const messages = user("CASE: weather. How is it in Oslo?");
    const first = await completions.create({ model, messages, tools: [weather] });
    assert.equal(first.choices[0].finish_reason, "tool_calls");
    const [call] = first.choices[0].message.tool_calls;
    assert.deepEqual(JSON.parse(call.function.arguments), { city: "Oslo" });
    const result = { role: "tool", tool_call_id: call.id, content: "sunny" };
    const second = await completions.create({ model, messages: [...messages, first.choices[0].message, result], tools: [weather] });
    assert.match(second.choices[0].message.content, /sunny/);
  },
  "chat.completions.create (n)": async () => {
    const answer = await completions.create({ model, messages: user("CASE: echo."), n: 2 });
    assert.deepEqual(answer.choices.map((choice) => choice.index), [0, 1]);
  },
  "chat.completions.create (straight to the model)": async () =>
    assert.equal(await said(await completions.create({ model, messages: user("CASE: echo."), toolsets: [], stream: true })), "Heard."),
  "chat.completions.parse": async () => {
    const answer = await parser.parse({ model, messages: user("CASE: person."), response_format: personFormat });
    assert.deepEqual(JSON.parse(answer.choices[0].message.content), { name: "Ann", age: 31 });
  },
  "chat.completions.stream": async () => {
    const stream = parser.stream({ model, messages: user("CASE: person."), response_format: personFormat });
    assert.deepEqual(JSON.parse(await stream.finalContent()), { name: "Ann", age: 31 });
    assert.ok((await stream.totalUsage()).total_tokens > 0);
  },
  "chat.completions.runTools": async () => {
    const run = parser.runTools({
      model,
      messages: user("CASE: weather. How is it in Oslo?"),
      tools: [{ type: "function", function: { ...weather.function, parse: JSON.parse, function: async () => "sunny" } }],
    });
    assert.match(await run.finalContent(), /sunny/);
  },
  "audio.transcriptions.create": async () => {
    const create = (options) => client.audio.transcriptions.create({ model: "whisper-1", file: createReadStream(CALL), ...options });
    const { text } = await create({});
    assert.match(text, /best of times/);
    assert.equal((await create({ response_format: "text" })).trim(), text.trim());
    const full = await create({ response_format: "verbose_json", timestamp_granularities: ["word"] });
    assert.ok(Math.abs(full.duration - 8.5) < 0.2);
    assert.deepEqual(full.words.slice(0, 3).map((word) => word.word), ["It", "was", "the"]);
    assert.match(await create({ response_format: "srt" }), /^1\n00:00:0\d,\d{3} --> /);
    assert.match(await create({ response_format: "vtt" }), /^WEBVTT\n\n/);
  },
  errors: async () => {
    await assert.rejects(completions.create({ model: "gpt-0", messages: user("hello") }), OpenAI.NotFoundError);
    await assert.rejects(completions.create({ model, messages: user("hello"), toolsets: ["charts"] }), OpenAI.UnprocessableEntityError);
  },
};

for (const [name, check] of Object.entries(checks)) {
  const started = performance.now();
  let line = { outcome: "passed", detail: "" };
  try {
    await check();
  } catch (error) {
    line = { outcome: "failed", detail: String(error?.stack ?? error).slice(0, 600) };
  }
  console.log(JSON.stringify({ name, ...line, seconds: Math.round((performance.now() - started) / 10) / 100 }));
}
