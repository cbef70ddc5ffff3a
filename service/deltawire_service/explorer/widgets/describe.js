// Describes a call that failed.

// The service's sentence is English: in another language, what it is about comes first.
export function describe(fault, t) {
  if (t.known(`failed_${fault.code}`)) return t(`failed_${fault.code}`, fault);
  return [t.title(fault.code), fault.detail].filter(Boolean).join(": ") || t("failed_away");
}
