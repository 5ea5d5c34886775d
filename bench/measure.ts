/** Clocks. */

/** A sample lasts at least so long, in ms: work that is quicker is repeated within it. */
const LEAST_MS = 2;

/** Wall time in ms of work, as often as asked. */
export async function wallTimes(runs: number, work: () => unknown): Promise<number[]> {
  const times: number[] = [];
  for (let run = 0; run < runs; run++) {
    const from = performance.now();
    await work();
    times.push(performance.now() - from);
  }
  return times;
}

/**
 * Times in ms of pieces of short work, in turn, so that what disturbs the machine disturbs all of them: one list a piece. Each
 * is run before until the compiler has seen enough of it.
 */
export function inTurn(runs: number, works: readonly (() => void)[]): number[][] {
  const repeats = works.map((work) => {
    const from = performance.now();
    let done = 0;
    while (done < 3 || performance.now() - from < 60) {
      work();
      done++;
    }
    const begun = performance.now();
    work();
    return Math.max(1, Math.ceil(LEAST_MS / Math.max(1e-3, performance.now() - begun)));
  });
  const times = works.map((): number[] => []);
  for (let run = 0; run < runs; run++) {
    for (const [at, work] of works.entries()) {
      const from = performance.now();
      for (let repeat = 0; repeat < repeats[at]!; repeat++) work();
      times[at]!.push((performance.now() - from) / repeats[at]!);
    }
  }
  return times;
}

/** What some work gave and the CPU time it took, in s, of all threads of this process. */
export async function cpuTime<T>(work: () => T | Promise<T>): Promise<{ readonly value: T; readonly cpu_s: number }> {
  const from = process.cpuUsage();
  const value = await work();
  const { user, system } = process.cpuUsage(from);
  return { value, cpu_s: (user + system) / 1e6 };
}
