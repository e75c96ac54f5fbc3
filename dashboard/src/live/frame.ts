/** Runs work at most once per animation frame; in a hidden tab, which has no frames, at most once a second. */
export interface FrameScheduler {
  request(): void;
  cancel(): void;
}

const HIDDEN_MS = 1_000;

export function frameScheduler(run: () => void): FrameScheduler {
  let frame = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const cancel = () => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
    frame = 0;
    timer = undefined;
  };
  const fire = () => {
    cancel();
    run();
  };
  return {
    request: () => {
      if (timer !== undefined) return;
      frame = requestAnimationFrame(fire);
      timer = setTimeout(fire, HIDDEN_MS);
    },
    cancel,
  };
}
