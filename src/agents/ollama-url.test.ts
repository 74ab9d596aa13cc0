import { expect, test } from "vitest";
import { ollamaUrl } from "./ollama-url.ts";

test.each([
  [undefined, "http://127.0.0.1:11434/v1"],
  ["", "http://127.0.0.1:11434/v1"],
  ["0.0.0.0", "http://127.0.0.1:11434/v1"],
  ["0.0.0.0:8080", "http://127.0.0.1:8080/v1"],
  [":8080", "http://127.0.0.1:8080/v1"],
  ["[::]:8080", "http://127.0.0.1:8080/v1"],
  ["[::1]", "http://[::1]:11434/v1"],
  ["big-machine", "http://big-machine:11434/v1"],
  [" big-machine:99/ ", "http://big-machine:99/v1"],
  ["https://ollama.com", "https://ollama.com/v1"],
])("OLLAMA_HOST=%o is read as Ollama reads it: %s", (OLLAMA_HOST, url) => {
  expect(ollamaUrl({ OLLAMA_HOST })).toBe(url);
});

test.each([
  ["http://127.0.0.1:1", "http://127.0.0.1:1/v1"],
  ["http://127.0.0.1:1/", "http://127.0.0.1:1/v1"],
  ["http://127.0.0.1:1/api", "http://127.0.0.1:1/v1"],
  ["http://127.0.0.1:1/v1", "http://127.0.0.1:1/v1"],
  ["http://proxy/some/where", "http://proxy/some/where"],
])("OLLAMA_BASE_URL=%s comes before it: %s", (OLLAMA_BASE_URL, url) => {
  expect(ollamaUrl({ OLLAMA_BASE_URL, OLLAMA_HOST: "elsewhere" })).toBe(url);
});

test("what is no URL stays what it is, for the error to show", () => {
  expect(ollamaUrl({ OLLAMA_BASE_URL: "nowhere" })).toBe("nowhere");
});
