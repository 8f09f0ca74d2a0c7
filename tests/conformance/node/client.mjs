// Drives the official Node client against a running server; prints the same lines as driver.py.
// The npm registry's newest `vlmrun` at the time of writing is 0.2.12.
import { randomUUID } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import assert from "node:assert/strict";
import vlmrun from "vlmrun";

const { VlmRun } = vlmrun;
const { VLMRUN_BASE_URL: baseURL, VLMRUN_API_KEY: apiKey, RECEIPT, INVOICE, CALL, TALK, SCRATCH, SKILL_ZIP } = process.env;
const client = new VlmRun({ apiKey, baseURL });
const id = randomUUID();
const schema = { type: "object", properties: { total: { type: ["number", "null"], description: "Total amount" } } };

async function uploadNote() {
  const path = join(SCRATCH, `${randomUUID()}.txt`);
  writeFileSync(path, randomUUID());
  return client.files.upload({ filePath: path, checkDuplicate: false });
}

async function completed(promise) {
  const answer = await promise;
  assert.equal(answer.status, "completed", JSON.stringify(answer));
  return answer;
}

// Routes that this older client has no method for, by the code that its methods call.
async function request(method, path, { params, data } = {}) {
  const [answer] = await client.models.requestor.request(method, path, params, data);
  return answer;
}

// What later clients send for `skills: [...]` of a request.
const reading = (fileId, skills, config = {}) => ({
  file_id: fileId,
  model: undefined,
  domain: undefined,
  batch: false,
  config: { detail: "auto", json_schema: undefined, skills, confidence: false, grounding: false, gql_stmt: null, ...config },
  metadata: { environment: "dev", session_id: undefined, allow_training: true },
  callback_url: undefined,
});

const uploadedId = async (filePath) => (await client.files.upload({ filePath })).id;
const receiptId = () => uploadedId(RECEIPT);
const invoiceId = () => uploadedId(INVOICE);

const checks = {
  "files.upload": async () => {
    const file = await uploadNote();
    assert.ok(file.id);
    assert.equal(file.object, "file");
  },
  "files.upload (duplicate)": async () => assert.equal(await receiptId(), await receiptId()),
  "files.getCachedFile": async () => {
    await receiptId();
    assert.ok((await client.files.getCachedFile(RECEIPT)).id);
  },
  "files.checkFileExists": async () => {
    const path = join(SCRATCH, `${randomUUID()}.txt`);
    writeFileSync(path, randomUUID());
    assert.equal(await client.files.checkFileExists(path), null);
  },
  "files.calculateMD5": async () => assert.match(await client.files.calculateMD5(RECEIPT), /^[0-9a-f]{32}$/),
  "files.list": async () => assert.ok(Array.isArray(await client.files.list({ skip: 0, limit: 5 }))),
  "files.get": async () => {
    const file = await uploadNote();
    assert.equal((await client.files.get(file.id)).id, file.id);
  },
  "files.delete": async () => {
    const file = await uploadNote();
    await client.files.delete(file.id);
    await assert.rejects(client.files.get(file.id));
  },
  "models.list": async () => assert.ok((await client.models.list()).some((m) => m.model === "vlm-1")),
  "hub.info": async () => assert.ok((await client.hub.info()).version),
  "hub.listDomains": async () => assert.ok((await client.hub.listDomains()).some((d) => d.domain === "document.invoice")),
  "hub.getSchema": async () => assert.ok((await client.hub.getSchema({ domain: "document.invoice" })).json_schema.properties),
  "image.generate": async () => {
    const answer = await completed(
      client.image.generate({ images: [RECEIPT], model: "vlm-1", domain: "document.receipt", config: { grounding: true, confidence: true } }),
    );
    assert.ok(answer.response.total_metadata.bboxes.length > 0);
  },
  "image.schema": async () => assert.ok((await completed(client.image.schema({ images: [RECEIPT] }))).response.json_schema),
  "document.generate": async () => {
    const answer = await completed(
      client.document.generate({ fileId: await invoiceId(), model: "vlm-1", domain: "document.invoice", config: { grounding: true, confidence: true } }),
    );
    assert.ok(answer.response.invoice_id);
    assert.ok(answer.response.invoice_id_metadata.confidence);
    assert.ok(answer.response.total_metadata.confidence);
  },
  "document.generate (batch)": async () => {
    const accepted = await client.document.generate({ fileId: await receiptId(), model: "vlm-1", domain: "document.receipt", batch: true });
    assert.equal(accepted.status, "pending");
    assert.equal(accepted.response, null);
    assert.equal((await client.predictions.wait(accepted.id, 90, 1)).status, "completed");
  },
  "document.generate (own schema)": async () => {
    const answer = await completed(
      client.document.generate({ fileId: await invoiceId(), model: "vlm-1", domain: "document.invoice", config: { jsonSchema: schema } }),
    );
    assert.deepEqual(Object.keys(answer.response), ["total"]);
  },
  "document.generate (config.skills)": async () => {
    const skills = [{ skillName: "invoice-extraction", version: "latest" }];
    await assert.rejects(client.document.generate({ fileId: await invoiceId(), config: { skills } }), /in one of four ways/);
    throw new Error("config.skills is not implemented in this client, which leaves it out of its request");
  },
  "document.generate (skills, as later clients send them)": async () => {
    const byName = [{ type: "skill_reference", skill_name: "invoice-extraction", skill_version: "latest" }];
    const answer = await completed(request("POST", "document/generate", { data: reading(await invoiceId(), byName, { grounding: true }) }));
    assert.ok(Object.values(answer.response).includes(8956.08));
    const data = readFileSync(SKILL_ZIP).toString("base64");
    const inline = [{ type: "inline", name: "totals", description: "", source: { type: "base64", media_type: "application/zip", data }, bundle: data }];
    const read = await completed(request("POST", "document/generate", { data: reading(await invoiceId(), inline) }));
    assert.deepEqual(read.response, { total: 8956.08 });
  },
  "skills (by the routes)": async () => {
    const name = `node-${id.slice(0, 8)}`;
    const file = await client.files.upload({ filePath: SKILL_ZIP });
    const made = await request("POST", "skills/create", { data: { file_id: file.id, name, description: "Reads the total" } });
    assert.equal(made.status, "completed");
    assert.match(made.skill_version, /^\d{8}-[0-9a-f]{8}$/);
    assert.equal(made.version, made.skill_version);
    assert.equal((await request("GET", `skills/${made.id}`)).name, name);
    assert.equal((await request("POST", "skills/lookup", { data: { name, skill_version: "latest" } })).id, made.id);
    const params = { limit: 25, offset: 0, order_by: "created_at", descending: true, grouped: true };
    assert.ok((await request("GET", "skills", { params })).some((skill) => skill.id === made.id));
    assert.equal((await request("GET", `skills/${made.id}/download`)).expires_in, 3600);
    assert.equal((await request("POST", `skills/${made.id}/update`, { data: { description: "Reads totals" } })).description, "Reads totals");
  },
  "document.schema": async () => assert.ok((await completed(client.document.schema({ fileId: await invoiceId() }))).response.json_schema),
  "predictions.list": async () => assert.ok((await client.predictions.list({ skip: 0, limit: 3 })).length > 0),
  "predictions.get": async () => {
    const [latest] = await client.predictions.list({ limit: 1 });
    assert.equal((await client.predictions.get(latest.id)).id, latest.id);
  },
  "wrong key": async () => {
    const stranger = new VlmRun({ apiKey: "hg_not-a-key", baseURL });
    await assert.rejects(stranger.models.list());
  },
  "web.generate": async () => client.web.generate({ url: "http://example.com", model: "vlm-1", domain: "web.page" }),
  "audio.generate": async () => {
    const answer = await completed(client.audio.generate({ fileId: await uploadedId(CALL), model: "vlm-1", domain: "audio.transcription" }));
    assert.equal(answer.usage.element_type, "audio");
    assert.ok(Math.abs(answer.response.metadata.duration - 8.5) < 0.2);
    assert.match(answer.response.segments.map((segment) => segment.content).join(" "), /best of times/);
  },
  "audio.generate (batch)": async () => {
    const accepted = await client.audio.generate({ fileId: await uploadedId(CALL), model: "vlm-1", domain: "audio.transcription", batch: true });
    assert.equal(accepted.status, "pending");
    assert.equal(accepted.response, null);
    assert.match((await client.audio.wait(accepted.id, 90, 1)).response.segments[0].content, /best of times/);
  },
  "audio.schema": async () => assert.ok((await completed(client.audio.schema({ fileId: await uploadedId(CALL) }))).response.json_schema),
  "video.generate": async () => {
    const answer = await completed(client.video.generate({ fileId: await uploadedId(TALK), model: "vlm-1", domain: "video.transcription" }));
    assert.equal(answer.usage.element_type, "video");
    assert.ok(answer.response.segments.length > 0);
    for (const segment of answer.response.segments) {
      assert.ok(segment.start_time < segment.end_time);
      assert.ok(segment.audio.content.length > 0);
      assert.ok(segment.video.content.length > 0);
    }
  },
  "video.generate (url, batch)": async () => {
    const { public_url: url } = await client.files.upload({ filePath: TALK });
    const accepted = await client.video.generate({ url, model: "vlm-1", domain: "video.transcription", batch: true });
    assert.equal(accepted.status, "pending");
    assert.equal((await client.predictions.wait(accepted.id, 90, 1)).status, "completed");
  },
  "video.generate (as later clients send it)": async () => {
    const config = { detail: "auto", json_schema: undefined, gql_stmt: null, video_segment_duration: 3, video_frames_per_segment: 2, service_tier: "flex" };
    const data = { file_id: await uploadedId(TALK), model: "vlm-1", domain: "video.transcription", batch: false, config };
    const answer = await completed(request("POST", "video/generate", { data }));
    assert.deepEqual(answer.response.segments.map((segment) => segment.start_time), [0, 3, 6]);
  },
  "video.schema": async () => assert.ok((await completed(client.video.schema({ fileId: await uploadedId(TALK) }))).response.json_schema),
  "feedback.submit": async () => client.feedback.submit({ id, label: null, notes: "right" }),
  "finetuning.create": async () => client.finetuning.create({ model: "vlm-1", trainingFile: id }),
  "finetuning.provision": async () => client.finetuning.provision({ model: "vlm-1" }),
  "finetuning.generate": async () => client.finetuning.generate({ images: [RECEIPT], model: "vlm-1", prompt: "x", jsonSchema: schema, detail: null, domain: null }),
  "finetuning.list": async () => client.finetuning.list(),
  "finetuning.get": async () => client.finetuning.get(id),
  "finetuning.cancel": async () => client.finetuning.cancel(id),
  "dataset.list": async () => client.dataset.list(),
  "dataset.get": async () => client.dataset.get(id),
  "dataset.create": async () =>
    client.dataset.create({ domain: "document.invoice", datasetDirectory: SCRATCH, datasetName: "x", datasetType: "images" }),
};

function publicMethods() {
  const names = [];
  for (const [resource, part] of Object.entries(client)) {
    if (part === null || typeof part !== "object" || resource === "client") continue;
    for (let proto = Object.getPrototypeOf(part); proto && proto !== Object.prototype; proto = Object.getPrototypeOf(proto)) {
      for (const name of Object.getOwnPropertyNames(proto)) {
        if (name !== "constructor" && !name.startsWith("_") && !name.startsWith("handle")) names.push(`${resource}.${name}`);
      }
    }
  }
  return names;
}

// What a file or image resource inherits is the same code as `predictions`.
const inherited = /^(image|document|audio|video|web)\.(list|get|wait)$/;
const covered = { "predictions.wait": "document.generate (batch)" };

// This client keeps the body of an error answer as the text of its message.
function said(error) {
  const text = String(error?.message ?? error);
  try {
    const body = JSON.parse(text);
    return [body.error.type, body.error.message];
  } catch {
    return [undefined, text];
  }
}

// Routes of this older client that the platform's published API does not have.
const dropped = new Set(["web.generate", "feedback.submit"]);

const results = new Map();
for (const name of new Set([...publicMethods(), ...Object.keys(checks)])) {
  const target = inherited.test(name) ? name.replace(/^[a-z]+/, "predictions") : name;
  const key = covered[target] ?? target;
  const check = checks[key];
  let line = { name, outcome: "failed", detail: "no check is written for this method", seconds: 0 };
  if (check) {
    if (!results.has(key)) {
      const started = performance.now();
      try {
        await check();
        results.set(key, { outcome: "passed", detail: "" });
      } catch (error) {
        const [type, message] = said(error);
        const later = type === "not_configured";
        const client = /not implemented/i.test(message) || (dropped.has(key) && type === "not_found");
        results.set(key, { outcome: later ? "later" : client ? "client" : "failed", detail: message });
      }
      results.get(key).seconds = Math.round((performance.now() - started) / 10) / 100;
    }
    line = { name, ...results.get(key) };
  }
  console.log(JSON.stringify(line));
}
