"""The lab's exchanges: order books, clearing, margin, marks and liquidation, as kernels over owned arrays."""
