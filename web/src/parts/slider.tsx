// A slider that says what it stands at; `settle` is called once it is let go.
export function Slider(props: { label: string; text: string; min?: number; max: number; step: number; value: number; set: (value: number) => void; settle?: (value: number) => void }) {
  const { settle } = props;
  return (
    <label><span>{props.label} <b>{props.text}</b></span>
      <input
        type="range" min={props.min ?? 0} max={props.max} step={props.step} value={props.value}
        onInput={(event) => props.set(Number(event.currentTarget.value))}
        {...(settle ? { onChange: (event: Event) => settle(Number((event.currentTarget as HTMLInputElement).value)) } : {})}
      />
    </label>
  );
}
