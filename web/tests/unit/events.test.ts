// SPDX-License-Identifier: Apache-2.0
import { afterEach, describe, expect, it, vi } from "vitest";
import { EventParser, listen } from "../../src/api/events";

describe("the parser of events", () => {
  it("gives an event once it is whole, however it was cut", () => {
    const whole = "id: 4\nevent: runs\ndata: {\"a\":1}\n\n";
    for (let cut = 0; cut <= whole.length; ++cut) {
      const parser = new EventParser();
      const events = [...parser.push(whole.slice(0, cut)), ...parser.push(whole.slice(cut))];
      expect(events).toEqual([{ id: "4", type: "runs", data: '{"a":1}' }]);
    }
  });
  it("takes comments for signs of life, joins lines, and keeps the last id", () => {
    const parser = new EventParser();
    expect(parser.push(": here\n\nid: 9\ndata: a\ndata: b\r\n\r\ndata: c\n\n")).toEqual([
      { id: "9", type: "message", data: "a\nb" },
      { id: "9", type: "message", data: "c" },
    ]);
  });
});

describe("listening", () => {
  afterEach(() => vi.unstubAllGlobals());

  it("ends where the server says that it ends, and is not lost then", async () => {
    const said: string[] = [];
    vi.useFakeTimers();
    await new Promise<void>((resolve) => {
      vi.stubGlobal("fetch", async () => {
        said.push("asked");
        return new Response('event: gone\ndata: {"id":"HD_1"}\n\nevent: end\ndata: {}\n\n');
      });
      listen("/events", { gone: (id) => said.push(id), connection: (connected) => said.push(String(connected)), end: () => { said.push("end"); resolve(); } });
    });
    await vi.advanceTimersByTimeAsync(60_000);
    vi.useRealTimers();
    expect(said).toEqual(["asked", "true", "HD_1", "end"]);
  });

  it("comes back after a lost connection with the last id it saw", async () => {
    const asked: (string | undefined)[] = [];
    const states: boolean[] = [];
    const answer = (text: string) => new Response(new ReadableStream({ start: (c) => { c.enqueue(new TextEncoder().encode(text)); c.close(); } }));
    await new Promise<void>((resolve) => {
      vi.stubGlobal("fetch", async (_url: string, init: RequestInit) => {
        asked.push((init.headers as Record<string, string>)["Last-Event-ID"]);
        if (asked.length === 2) throw new TypeError("refused");
        return answer(asked.length === 1 ? "id: 41\nevent: gone\ndata: {\"id\":\"HD_1\"}\n\n" : "event: gone\ndata: {\"id\":\"HD_2\"}\n\n");
      });
      const stop = listen("/events", {
        connection: (connected) => states.push(connected),
        gone: (id) => {
          if (id !== "HD_2") return;
          stop();
          resolve();
        },
      });
    });
    expect(asked).toEqual([undefined, "41", "41"]);
    expect(states.slice(0, 4)).toEqual([true, false, false, true]);
  });
});
