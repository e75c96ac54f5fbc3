/** Small line icons. Each trust state has a shape of its own, so that colour is never alone in telling. */
import type { ReactNode } from "react";

function Icon({ children, size = 16 }: { children: ReactNode; size?: number }) {
  return (
    <svg
      viewBox="0 0 16 16"
      width={size}
      height={size}
      fill="none"
      stroke="currentColor"
      strokeWidth="1.6"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      {children}
    </svg>
  );
}

export const SunIcon = () => (
  <Icon>
    <circle cx="8" cy="8" r="2.9" />
    <path d="M8 1.4v1.2M8 13.4v1.2M1.4 8h1.2M13.4 8h1.2M3.3 3.3l.9.9M11.8 11.8l.9.9M3.3 12.7l.9-.9M11.8 4.2l.9-.9" />
  </Icon>
);
export const MoonIcon = () => (
  <Icon>
    <path d="M13.6 9.7A5.9 5.9 0 1 1 6.3 2.4a4.7 4.7 0 0 0 7.3 7.3Z" />
  </Icon>
);
/** A screen on its stand. */
export const WallIcon = () => (
  <Icon>
    <rect x="1.6" y="2.4" width="12.8" height="8.8" rx="1.8" />
    <path d="M5.4 13.8h5.2" />
  </Icon>
);
export const TableIcon = () => (
  <Icon size={14}>
    <rect x="1.8" y="2.6" width="12.4" height="10.8" rx="2" />
    <path d="M1.8 6.4h12.4M6.2 6.4v7" />
  </Icon>
);
export const ArrowIcon = () => (
  <Icon size={12}>
    <path d="M2.5 8h11M9.5 4l4 4-4 4" />
  </Icon>
);
/** Two arrows up and down; the one that a column is sorted by is full. */
export const SortIcon = ({ sorted }: { sorted: false | "asc" | "desc" }) => (
  <svg viewBox="0 0 10 14" width="8" height="11" fill="currentColor" aria-hidden="true">
    <path d="M5 1 9 6H1Z" opacity={sorted === "asc" ? 1 : 0.28} />
    <path d="M5 13 1 8h8Z" opacity={sorted === "desc" ? 1 : 0.28} />
  </svg>
);
export const SearchIcon = () => (
  <Icon size={14}>
    <circle cx="7" cy="7" r="4.6" />
    <path d="m10.6 10.6 3.6 3.6" />
  </Icon>
);
export const DownloadIcon = () => (
  <Icon size={14}>
    <path d="M8 2v8.4M4.4 7 8 10.4 11.6 7M2.4 13.6h11.2" />
  </Icon>
);
export const ExactIcon = () => (
  <Icon size={14}>
    <circle cx="8" cy="8" r="6.4" />
    <path d="m5.2 8.2 2 2 3.6-4" />
  </Icon>
);
export const UnequalIcon = () => (
  <Icon size={14}>
    <circle cx="8" cy="8" r="6.4" />
    <path d="M5.4 6.6h5.2M5.4 9.6h5.2M9.8 4.4 6.2 11.8" />
  </Icon>
);
export const LockIcon = () => (
  <Icon size={18}>
    <rect x="3" y="7" width="10" height="7" rx="2" />
    <path d="M5.2 7V4.8a2.8 2.8 0 0 1 5.6 0V7" />
  </Icon>
);
export const LeaveIcon = () => (
  <Icon>
    <path d="M6.4 2.4H4A1.6 1.6 0 0 0 2.4 4v8A1.6 1.6 0 0 0 4 13.6h2.4M10.4 11l3-3-3-3M13.2 8H6.2" />
  </Icon>
);

/** A full disc in a ring. */
export const LiveIcon = () => (
  <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
    <circle cx="8" cy="8" r="3.6" fill="currentColor" />
    <circle cx="8" cy="8" r="6.6" fill="none" stroke="currentColor" strokeWidth="1.4" opacity="0.45" />
  </svg>
);
/** Two chevrons, forward. */
export const BehindIcon = () => (
  <Icon>
    <path d="M3 3.5 7.5 8 3 12.5M8.5 3.5 13 8l-4.5 4.5" />
  </Icon>
);
/** Two bars, at rest. */
export const IdleIcon = () => (
  <Icon>
    <path d="M5.5 4v8M10.5 4v8" strokeWidth="2.2" />
  </Icon>
);
/** A cross in a square. */
export const LostIcon = () => (
  <Icon>
    <rect x="1.8" y="1.8" width="12.4" height="12.4" rx="3" />
    <path d="m5.6 5.6 4.8 4.8M10.4 5.6l-4.8 4.8" />
  </Icon>
);
/** An open ring. */
export const StartingIcon = () => (
  <Icon>
    <path d="M8 1.8A6.2 6.2 0 1 1 1.8 8" />
  </Icon>
);
export const UpIcon = () => (
  <Icon size={12}>
    <path d="M8 13V3.4M3.8 7.4 8 3.2l4.2 4.2" />
  </Icon>
);
export const DownIcon = () => (
  <Icon size={12}>
    <path d="M8 3v9.6M3.8 8.6 8 12.8l4.2-4.2" />
  </Icon>
);
export const LevelIcon = () => (
  <Icon size={12}>
    <path d="M3 6h10M3 10h10" />
  </Icon>
);
export const PlusIcon = () => (
  <Icon size={14}>
    <path d="M8 3.2v9.6M3.2 8h9.6" />
  </Icon>
);
export const CrossIcon = () => (
  <Icon size={14}>
    <path d="m4.2 4.2 7.6 7.6M11.8 4.2l-7.6 7.6" />
  </Icon>
);
export const ChevronIcon = () => (
  <Icon size={12}>
    <path d="m3.6 6 4.4 4.4L12.4 6" />
  </Icon>
);
export const CheckIcon = () => (
  <Icon size={14}>
    <path d="m3 8.6 3.2 3.2L13 4.8" />
  </Icon>
);
export const CalendarIcon = () => (
  <Icon size={14}>
    <path d="M2.4 4.4a1.4 1.4 0 0 1 1.4-1.4h8.4a1.4 1.4 0 0 1 1.4 1.4v7.4a1.4 1.4 0 0 1-1.4 1.4H3.8a1.4 1.4 0 0 1-1.4-1.4ZM2.4 6.6h11.2M5.4 1.6v2.6M10.6 1.6v2.6" />
  </Icon>
);
export const BackIcon = () => (
  <Icon size={14}>
    <path d="M6.4 3 2.6 6.8l3.8 3.8M2.8 6.8h6.6a4 4 0 0 1 0 6.4H7" />
  </Icon>
);
