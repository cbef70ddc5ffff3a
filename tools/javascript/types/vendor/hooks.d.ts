// The hooks of preact. A state or a reference that begins empty has the type that its declaration names.
export { useEffect, useLayoutEffect, useMemo } from "preact/hooks";

export function useRef(initial?: null): { current: any };
export function useRef<T>(initial: T): { current: T };

export function useState(initial: null): [any, (next: any) => void];
export function useState<T>(initial: T | (() => T)): [T, (next: T | ((old: T) => T)) => void];
